curl -X PUT $BASE/v1/providers/runtime/apps/$APP_ID/auth-profile \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "strategy": "custom",
    "custom": {
      "fields": [{ "name": "api_token", "label": "API Token", "type": "secret" }]
    }
  }'
