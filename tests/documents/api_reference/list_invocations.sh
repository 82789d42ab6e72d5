curl -X GET "$BASE/v1/providers/capabilities/$CAPABILITY_ID/history?limit=10" \
  -H "Authorization: Bearer $TOKEN"
