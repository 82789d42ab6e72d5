curl -X PATCH $BASE/v1/providers/runtime/apps/$APP_ID \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "name": "Acme Weather",
    "runtime_url": "https://api.acmeweather.com/aiffinity/v2",
    "status": "active"
  }'
