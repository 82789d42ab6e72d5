curl -X PUT $BASE/v1/providers/runtime/apps/$APP_ID/auth \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "strategy": "oauth2",
    "oauth2": {
      "authorization_url": "https://acmeweather.com/oauth/authorize",
      "token_url": "https://acmeweather.com/oauth/token",
      "revocation_url": "https://acmeweather.com/oauth/revoke",
      "scopes": ["weather:read", "forecast:read"],
      "pkce_required": true,
      "token_endpoint_auth_method": "client_secret_post"
    }
  }'
