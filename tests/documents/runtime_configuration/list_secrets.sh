# List secrets (values are redacted)
curl -X GET $BASE/v1/providers/runtime/apps/$APP_ID/secrets \
  -H "Authorization: Bearer $TOKEN"
