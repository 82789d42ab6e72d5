# Delete a secret
curl -X DELETE $BASE/v1/providers/runtime/apps/$APP_ID/secrets/WEATHER_API_KEY \
  -H "Authorization: Bearer $TOKEN"
