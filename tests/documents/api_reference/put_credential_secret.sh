curl -X PUT $BASE/v1/providers/runtime/apps/$APP_ID/credential-secret \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{}'
