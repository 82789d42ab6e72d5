"""Examples of connections for the API documentation."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

_CONNECTION: dict[str, Any] = {
    "id": "conn_01J8XKWM3N4QR5STVYZ2BCDEFG",
    "install_id": "inst_01J8XKWM3N4QR5STVYZ2BCDEFG",
    "required": True,
    "strategy": "oauth2",
    "status": "active",
    "scopes": ["weather:read", "forecast:read"],
    "instructions": None,
    "fields": [],
    "connected_at": "2026-04-04T10:00:00Z",
    "expires_at": "2026-04-04T11:00:00Z",
}
_AUTHORIZATION = {
    "install_id": "inst_01J8XKWM3N4QR5STVYZ2BCDEFG",
    "strategy": "oauth2",
    "authorization_url": (
        "https://acmeweather.com/oauth/authorize?response_type=code&client_id=aiffinity"
        "&redirect_uri=https%3A%2F%2Fapi.aiffinity.me%2Fv1%2Fspace%2Fconnections%2Fcallback&state=Vd3b"
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    ),
    "state": "Vd3b",
    "expires_at": "2026-04-04T10:10:00Z",
}

CONNECTED = OpenApiExample("Connected", response_only=True, value=_CONNECTION)
NOT_YET = OpenApiExample(
    "Not connected yet, with the fields to fill in",
    response_only=True,
    value={
        **_CONNECTION,
        "id": None,
        "strategy": "credential",
        "status": "none",
        "scopes": [],
        "instructions": "Enter your subdomain and API token from Settings > Integrations.",
        "fields": [
            {"name": "subdomain", "label": "Subdomain", "type": "text", "required": True},
            {"name": "api_token", "label": "API Token", "type": "secret", "required": True},
        ],
        "connected_at": None,
        "expires_at": None,
    },
)
REVOKING = OpenApiExample("Being revoked", response_only=True, value={**_CONNECTION, "status": "revoking"})
CONNECT = [
    OpenApiExample("oauth2", request_only=True, value={}),
    OpenApiExample("api_key", request_only=True, value={"api_key": "wk_live_abc123def456"}),
    OpenApiExample(
        "credential", request_only=True, value={"fields": {"subdomain": "acme", "api_token": "tok_abc123def456"}}
    ),
    OpenApiExample("oauth2: where the user goes", response_only=True, value=_AUTHORIZATION),
    CONNECTED,
]
COMPLETE = [
    OpenApiExample("What the page handed on", request_only=True, value={"code": "SplxlOBeZQQYbYS6", "state": "Vd3b"}),
    CONNECTED,
]
