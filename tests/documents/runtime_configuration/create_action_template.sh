curl -X POST $BASE/v1/providers/runtime/apps/$APP_ID/capabilities \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "name": "create_task",
    "mode": "action",
    "description": "Create a new task in the user'\''s project",
    "schema": {
      "input": {
        "type": "object",
        "properties": {
          "title": { "type": "string", "maxLength": 255 },
          "description": { "type": "string" },
          "priority": { "type": "string", "enum": ["low", "medium", "high", "urgent"] },
          "assignee_id": { "type": "string" }
        },
        "required": ["title"]
      },
      "output": {
        "type": "object",
        "properties": {
          "task_id": { "type": "string" },
          "url": { "type": "string", "format": "uri" }
        }
      }
    },
    "confirmation_required": true,
    "risk_level": "action_capable"
  }'
