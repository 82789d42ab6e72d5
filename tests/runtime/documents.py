"""Bodies of the runtime API as the documents print them."""

from typing import Any

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
STATE: dict[str, Any] = {
    "name": "current_weather",
    "mode": "state",
    "description": "Current weather conditions for a location",
    "refresh_interval_seconds": 900,
    "schema": {
        "type": "object",
        "properties": {
            "location": {"type": "string"},
            "temperature_c": {"type": "number"},
            "condition": {"type": "string", "enum": ["sunny", "cloudy", "rainy", "snowy", "windy", "stormy"]},
            "humidity_pct": {"type": "number", "minimum": 0, "maximum": 100},
        },
        "required": ["location", "temperature_c", "condition"],
    },
    "surface_guidance": {
        "intent": "ambient_context",
        "placement": ["home_widgets", "daily_brief"],
        "preferred_components": ["stat_row", "sparkline"],
    },
}
ACTION: dict[str, Any] = {
    "name": "create_task",
    "mode": "action",
    "description": "Create a new task in the user's project",
    "schema": {
        "input": {
            "type": "object",
            "properties": {
                "title": {"type": "string", "maxLength": 255},
                "description": {"type": "string"},
                "priority": {"type": "string", "enum": ["low", "medium", "high", "urgent"]},
                "assignee_id": {"type": "string"},
            },
            "required": ["title"],
        },
        "output": {
            "type": "object",
            "properties": {"task_id": {"type": "string"}, "url": {"type": "string", "format": "uri"}},
        },
    },
    "confirmation_required": True,
    "risk_level": "action_capable",
}
HISTORY: dict[str, Any] = {
    "name": "recent_transactions",
    "mode": "history",
    "description": "Paginated list of recent financial transactions",
    "max_items_per_page": 50,
    "cursor_field": "transaction_id",
    "schema": {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "amount": {"type": "number"},
            "merchant": {"type": "string"},
            "date": {"type": "string", "format": "date"},
        },
    },
}
REALTIME: dict[str, Any] = {
    "name": "price_ticker",
    "mode": "realtime",
    "description": "Live stock price updates via SSE",
    "protocol": "sse",
    "heartbeat_interval_seconds": 30,
    "schema": {
        "type": "object",
        "properties": {
            "symbol": {"type": "string"},
            "price": {"type": "number"},
            "change": {"type": "number"},
            "timestamp": {"type": "string", "format": "date-time"},
        },
    },
}
WEBHOOK: dict[str, Any] = {
    "name": "calendar_event_changed",
    "mode": "webhook",
    "description": "Receives calendar event create/update/delete pushes",
    "events": ["created", "updated", "deleted"],
    "schema": {
        "type": "object",
        "properties": {
            "event_id": {"type": "string"},
            "title": {"type": "string"},
            "start": {"type": "string", "format": "date-time"},
            "end": {"type": "string", "format": "date-time"},
        },
    },
    "signature_header": "X-Signature-256",
}
TEMPLATES = [STATE, ACTION, HISTORY, REALTIME, WEBHOOK]
WEBHOOK_PROFILE: dict[str, Any] = {
    "url": "https://acmeweather.com/webhooks/aiffinity",
    "events": [
        "package.submitted",
        "package.published",
        "package.suspended",
        "install.created",
        "install.removed",
        "capability.invoked",
        "capability.failed",
    ],
    "signature": {
        "algorithm": "hmac-sha256",
        "header": "X-Aiffinity-Signature",
        "secret": "whsec_your-signing-secret",
    },
    "timeout_ms": 5000,
    "retry_policy": {
        "max_retries": 5,
        "backoff": "exponential",
        "initial_delay_ms": 1000,
        "max_delay_ms": 300000,
        "max_elapsed_hours": 24,
    },
}
