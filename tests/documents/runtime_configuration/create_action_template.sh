curl -X POST $BASE/v1/providers/runtime/apps/$APP_ID/capabilities \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "name": "create_task",
    "mode": "action",
    "description": "Create a new task in the user'\''s project",
