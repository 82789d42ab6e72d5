curl -X POST $BASE/v1/providers/runtime/apps \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "app_id": "'"$APP_ID"'",
    "runtime_url": "https://api.acmeweather.com/aiffinity"
  }'
