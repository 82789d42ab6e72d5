curl -X GET "$BASE/v1/providers/packages/manage?status=draft&limit=20" \
  -H "Authorization: Bearer $TOKEN"
