curl -X GET "$BASE/v1/space/marketplace?q=weather&category=weather&sort=popular&limit=20" \
  -H "Authorization: Bearer $TOKEN"
