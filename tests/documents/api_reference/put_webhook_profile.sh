curl -X PUT $BASE/v1/providers/runtime/apps/$APP_ID/webhook-profile \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "url": "https://acmeweather.com/webhooks/aiffinity",
    "events": ["*"]
  }'
