"""Bodies of the runtime API as the documents print them."""

from typing import Any

from examples.demo import bodies

OAUTH2: dict[str, Any] = {
    "strategy": "oauth2",
    "oauth2": {
        "authorization_url": "https://acmeweather.com/oauth/authorize",
        "token_url": "https://acmeweather.com/oauth/token",
        "revocation_url": "https://acmeweather.com/oauth/revoke",
        "scopes": ["weather:read", "forecast:read"],
        "pkce_required": True,
        "token_endpoint_auth_method": "client_secret_post",
    },
}
API_KEY: dict[str, Any] = {
    "strategy": "api_key",
    "api_key": {
        "header_name": "X-Api-Key",
        "instructions": "Find your API key at Settings > API in your Acme Weather dashboard.",
        "validation_url": "https://api.acmeweather.com/v1/me",
    },
}
CREDENTIAL: dict[str, Any] = {
    "strategy": "credential",
    "credential": {
        "fields": [
            {"name": "subdomain", "label": "Subdomain", "type": "text", "required": True},
            {"name": "api_token", "label": "API Token", "type": "secret", "required": True},
        ],
        "validation_url": "https://{subdomain}.acmeweather.com/api/v1/verify",
        "instructions": "Enter your subdomain and API token from Settings > Integrations.",
    },
}
STATE = bodies.CURRENT_WEATHER
ACTION = bodies.CREATE_TASK
HISTORY = bodies.RECENT_TRANSACTIONS
REALTIME = bodies.PRICE_TICKER
WEBHOOK = bodies.CALENDAR_EVENT_CHANGED
TEMPLATES = list(bodies.TEMPLATES)
WEBHOOK_PROFILE = bodies.webhook_profile("https://acmeweather.com")
