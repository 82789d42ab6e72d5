curl -X PATCH $BASE/v1/providers/apps/$APP_ID \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{ "description": "Real-time weather data and forecasts" }'
