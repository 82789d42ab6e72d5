curl -X PUT $BASE/v1/providers/runtime/apps/$APP_ID/auth \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "strategy": "credential",
    "credential": {
      "fields": [
        { "name": "subdomain", "label": "Subdomain", "type": "text", "required": true },
        { "name": "api_token", "label": "API Token", "type": "secret", "required": true }
      ],
      "validation_url": "https://{subdomain}.acmeweather.com/api/v1/verify",
      "instructions": "Enter your subdomain and API token from Settings > Integrations."
    }
  }'
