curl -X PUT $BASE/v1/providers/runtime/apps/$APP_ID/capability-template \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "name": "tide_table",
    "mode": "state",
    "description": "Tides at a harbour",
    "schema": { "type": "object", "properties": { "high_at": { "type": "string" } } }
  }'
