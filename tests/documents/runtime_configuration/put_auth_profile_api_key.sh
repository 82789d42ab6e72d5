curl -X PUT $BASE/v1/providers/runtime/apps/$APP_ID/auth \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "strategy": "api_key",
    "api_key": {
      "header_name": "X-Api-Key",
      "instructions": "Find your API key at Settings > API in your Acme Weather dashboard.",
      "validation_url": "https://api.acmeweather.com/v1/me"
    }
  }'
