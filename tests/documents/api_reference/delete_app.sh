curl -X DELETE $BASE/v1/providers/apps/$APP_ID \
  -H "Authorization: Bearer $TOKEN"
