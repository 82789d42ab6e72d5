# Set a secret
curl -X PUT $BASE/v1/providers/runtime/apps/$APP_ID/secrets/WEATHER_API_KEY \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{ "value": "wk_live_abc123def456" }'
