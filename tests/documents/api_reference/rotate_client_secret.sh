curl -X POST $BASE/v1/providers/runtime/apps/$APP_ID/rotate-secret \
  -H "Authorization: Bearer $TOKEN"
