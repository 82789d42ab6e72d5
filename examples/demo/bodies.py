"""The request bodies that the documents print; only hosts and ids are put in."""

from typing import Any

Body = dict[str, Any]


def runtime_registration(app_id: str, provider: str) -> Body:
    """Bind a service to an app (Runtime Configuration, "Registering a Runtime App")."""
    return {
        "app_id": app_id,
        "name": "Acme Weather",
        "description": "Real-time weather data and forecasts",
        "homepage_url": "https://acmeweather.com",
        "runtime_url": f"{provider}/aiffinity",
        "redirect_uris": ["https://acmeweather.com/callback"],
        "webhook_url": f"{provider}/webhooks/aiffinity",
        "health_check_url": f"{provider}/health",
        "logo_url": "https://acmeweather.com/logo-512.png",
    }


CURRENT_WEATHER: Body = {
    "name": "current_weather",
    "mode": "state",
    "description": "Current weather conditions for a location",
    "refresh_interval_seconds": 900,
    "schema": {
        "type": "object",
        "properties": {
            "location": {"type": "string"},
            "temperature_c": {"type": "number"},
            "condition": {
                "type": "string",
                "enum": ["sunny", "cloudy", "rainy", "snowy", "windy", "stormy"],
            },
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

CREATE_TASK: Body = {
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

RECENT_TRANSACTIONS: Body = {
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

PRICE_TICKER: Body = {
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

CALENDAR_EVENT_CHANGED: Body = {
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

MY_STATIONS: Body = {
    "name": "my_stations",
    "mode": "state",
    "description": "Your own weather stations at Acme",
    "refresh_interval_seconds": 900,
    "schema": {
        "input": {
            "type": "object",
            "properties": {"limit": {"type": "integer", "minimum": 1, "maximum": 2}},
            "additionalProperties": False,
        },
        "output": {
            "type": "object",
            "properties": {
                "account": {"type": "string", "maxLength": 254},
                "stations": {"type": "array", "items": {"type": "string", "maxLength": 80}, "maxItems": 2},
            },
            "required": ["account", "stations"],
            "additionalProperties": False,
        },
    },
    "surface_guidance": {"intent": "inform", "placement": ["home_widgets"], "preferred_components": ["list"]},
    "examples": [
        {"params": {"limit": 2}, "data": {"account": "ada@example.com", "stations": ["Ada's roof", "Ada's harbour"]}}
    ],
}

TEMPLATES = (CURRENT_WEATHER, CREATE_TASK, RECENT_TRANSACTIONS, PRICE_TICKER, CALENDAR_EVENT_CHANGED)


def webhook_profile(provider: str) -> Body:
    """Subscribe to the documents' seven events (Runtime Configuration, "Webhook Profile Setup")."""
    return {
        "url": f"{provider}/webhooks/aiffinity",
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


def package(app_id: str) -> Body:
    """Draft the package that the story carries to the catalog (API Reference, "Package Management API")."""
    return {
        "appId": app_id,
        "name": "Acme Weather",
        "slug": "acme-weather",
        "description": "Current weather and your recent purchases of forecasts, from Acme Weather.",
        "riskTier": "data_only",
        "capabilities": ["current_weather", "recent_transactions"],
        "category": "weather",
        "keywords": ["weather", "forecast"],
    }


def action_package(app_id: str) -> Body:
    """Draft the second package, whose only capability does something for its user."""
    return {
        "appId": app_id,
        "name": "Acme Umbrella",
        "slug": "acme-umbrella",
        "description": "Puts an umbrella on your task list before the rain comes, once you say yes.",
        "riskTier": "action_capable",
        "capabilities": ["create_task"],
        "category": "weather",
        "keywords": ["umbrella", "rain", "tasks"],
        "supportUrl": "https://acmeweather.com/support",
    }


def auth_profile(provider: str, test_token: str) -> Body:
    """Have users connect by OAuth (Runtime Configuration, "Auth Profile Configuration"); validation has a token."""
    return {
        "strategy": "oauth2",
        "oauth2": {
            "authorization_url": f"{provider}/oauth/authorize",
            "token_url": f"{provider}/oauth/token",
            "revocation_url": f"{provider}/oauth/revoke",
            "scopes": ["weather:read", "forecast:read"],
            "pkce_required": True,
            "token_endpoint_auth_method": "client_secret_post",
            "client_id": "aiffinity",
            "client_secret": "acme-gave-this-to-aiffinity",
        },
        "test_connection": {"access_token": test_token},
    }


def stations_package(app_id: str) -> Body:
    """Draft the third package, which shows its users what is theirs at the provider."""
    return {
        "appId": app_id,
        "name": "Acme Stations",
        "slug": "acme-stations",
        "description": "Your own weather stations, from your Acme Weather account.",
        "riskTier": "data_only",
        "capabilities": ["my_stations"],
        "category": "weather",
        "keywords": ["stations", "account"],
    }
