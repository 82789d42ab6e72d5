curl -X POST $BASE/v1/providers/packages/manage \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "appId": "'"$APP_ID"'",
    "name": "Acme Weather",
    "slug": "acme-forecasts",
    "description": "Current weather, from Acme Weather",
    "riskTier": "data_only",
    "capabilities": ["current_weather"]
  }'
