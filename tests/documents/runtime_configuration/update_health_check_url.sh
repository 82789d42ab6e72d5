curl -X PATCH $BASE/v1/providers/runtime/apps/$APP_ID \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{ "health_check_url": "https://acmeweather.com/healthz" }'
