curl -X GET "$BASE/v1/providers/apps?limit=1&offset=0" \
  -H "Authorization: Bearer $TOKEN"
