curl -X GET $BASE/v1/providers/runtime/apps/$APP_ID/health \
  -H "Authorization: Bearer $TOKEN"
