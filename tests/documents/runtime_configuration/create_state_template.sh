curl -X POST $BASE/v1/providers/runtime/apps/$APP_ID/capabilities \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "name": "current_weather",
    "mode": "state",
    "description": "Current weather conditions for a location",
    "refresh_interval_seconds": 900,
    "schema": {
      "type": "object",
      "properties": {
        "location": { "type": "string" },
        "temperature_c": { "type": "number" },
        "condition": { "type": "string", "enum": ["sunny","cloudy","rainy","snowy","windy","stormy"] },
        "humidity_pct": { "type": "number", "minimum": 0, "maximum": 100 }
      },
      "required": ["location", "temperature_c", "condition"]
    },
    "surface_guidance": {
      "intent": "ambient_context",
      "placement": ["home_widgets", "daily_brief"],
      "preferred_components": ["stat_row", "sparkline"]
    }
  }'
