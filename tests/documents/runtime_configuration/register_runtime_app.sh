curl -X POST $BASE/v1/providers/runtime/apps \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "name": "Acme Weather",
    "description": "Real-time weather data and forecasts",
    "homepage_url": "https://acmeweather.com",
    "runtime_url": "https://api.acmeweather.com/aiffinity",
    "redirect_uris": ["https://acmeweather.com/callback"],
    "webhook_url": "https://acmeweather.com/webhooks/aiffinity",
    "health_check_url": "https://acmeweather.com/health",
    "logo_url": "https://acmeweather.com/logo-512.png"
  }'
