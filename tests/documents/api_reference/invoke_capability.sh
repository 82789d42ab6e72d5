curl -X POST $BASE/v1/providers/capabilities/$CAPABILITY_ID/invoke \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{ "params": { "location": "Oslo" } }'
