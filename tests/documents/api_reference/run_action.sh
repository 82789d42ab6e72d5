curl -X POST $BASE/v1/providers/capabilities/$CAPABILITY_ID/action \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{ "params": { "location": "Oslo" } }'
