curl -X GET $BASE/v1/providers/runtime/apps/$APP_ID \
  -H "Authorization: Bearer $TOKEN"
