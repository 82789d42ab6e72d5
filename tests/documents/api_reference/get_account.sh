curl -X GET $BASE/v1/providers/account \
  -H "Authorization: Bearer $TOKEN"
