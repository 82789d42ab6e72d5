curl -X GET $BASE/v1/providers/runtime/apps \
  -H "Authorization: Bearer $TOKEN"
