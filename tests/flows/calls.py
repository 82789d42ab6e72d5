"""A good call of every route whose path names a thing, and who may make it.

`CALLS` holds a body for each method, None where it takes none. A route that is missing here fails
`test_every_route_with_an_id_has_its_calls`.
"""

from typing import Any

from tests.runtime import documents

APPS = "/v1/providers/apps"
RUNTIME = "/v1/providers/runtime/apps"
RUNTIME_APP = f"{RUNTIME}/{{app_id}}"
MANAGE = "/v1/providers/packages/manage"
VERSIONS = f"{MANAGE}/{{package_id}}/versions"
VERSION = f"{VERSIONS}/{{version_id}}"
CAPABILITY = "/v1/providers/capabilities/{capability_id}"
CATALOG = "/v1/providers/packages/{id_or_slug}"
MARKETPLACE = "/v1/space/marketplace/{id_or_slug}"

ATTESTATIONS = {"attestations": [{"kind": "encryption", "statement": "Taken over", "signed_by": "Nobody"}]}
REASON = {"reason": "Taken over"}

CALLS: dict[str, dict[str, Any]] = {
    f"{APPS}/{{app_id}}": {"GET": None, "PATCH": {"name": "Taken over"}, "DELETE": None},
    RUNTIME_APP: {"GET": None, "PATCH": {"name": "Taken over", "status": "paused"}},
    f"{RUNTIME_APP}/rotate-secret": {"POST": {"grace_period_seconds": 0}},
    f"{RUNTIME_APP}/auth-profile": {"GET": None, "PUT": documents.API_KEY},
    f"{RUNTIME_APP}/auth": {"GET": None, "PUT": documents.OAUTH2},
    f"{RUNTIME_APP}/capability-template": {"GET": None, "PUT": documents.HISTORY},
    f"{RUNTIME_APP}/capabilities": {"GET": None, "POST": documents.WEBHOOK},
    f"{RUNTIME_APP}/capabilities/{{name}}": {"GET": None, "PATCH": {"description": "Taken over"}, "DELETE": None},
    f"{RUNTIME_APP}/webhook-profile": {"GET": None, "PUT": documents.WEBHOOK_PROFILE},
    f"{RUNTIME_APP}/webhooks": {"GET": None, "PUT": documents.WEBHOOK_PROFILE},
    f"{RUNTIME_APP}/credential-secret": {"PUT": {"secret": "whsec_taken-over-by-a-stranger"}},
    f"{RUNTIME_APP}/secrets": {"GET": None},
    f"{RUNTIME_APP}/secrets/{{key}}": {"GET": None, "PUT": {"value": "taken-over"}, "DELETE": None},
    f"{RUNTIME_APP}/health": {"GET": None},
    f"{RUNTIME_APP}/health/checks": {"GET": None},
    f"{RUNTIME_APP}/webhook-deliveries": {"GET": None},
    f"{RUNTIME_APP}/webhook-deliveries/{{delivery_id}}": {"GET": None},
    f"{RUNTIME_APP}/webhook-deliveries/{{delivery_id}}/replay": {"POST": {}},
    f"{RUNTIME_APP}/webhooks/test": {"POST": {}},
    f"{RUNTIME_APP}/webhooks/recover": {"POST": {"since": "2026-04-04T10:00:00Z"}},
    f"{RUNTIME_APP}/webhooks/recoveries": {"GET": None},
    f"{RUNTIME_APP}/webhooks/recoveries/{{recovery_id}}": {"GET": None},
    f"{MANAGE}/{{package_id}}": {"GET": None, "PATCH": {"name": "Taken over"}, "DELETE": None},
    VERSIONS: {"GET": None, "POST": {"capabilities": [documents.STATE]}},
    VERSION: {"GET": None, "PATCH": {"changelog": "Taken over"}},
    f"{VERSION}/validate": {"POST": {}},
    f"{VERSION}/validations": {"GET": None},
    f"{VERSION}/validations/{{run_id}}": {"GET": None},
    f"{VERSION}/submit": {"POST": {}},
    f"{VERSION}/withdraw": {"POST": REASON},
    f"{VERSION}/publish": {"POST": {}},
    f"{VERSION}/suspend": {"POST": REASON},
    f"{VERSION}/resume": {"POST": REASON},
    f"{VERSION}/rollback": {"POST": REASON},
    f"{VERSION}/diff": {"GET": None},
    f"{VERSION}/attestations": {"GET": None, "POST": ATTESTATIONS},
    f"{VERSION}/reviews": {"GET": None},
    f"{VERSION}/reviews/{{review_id}}/reply": {"POST": {"message": "Taken over"}},
    f"{CAPABILITY}/invoke": {"POST": {"params": {"location": "Oslo"}}},
    f"{CAPABILITY}/action": {"POST": {"params": {"title": "Taken over"}, "confirmed": True}},
    f"{CAPABILITY}/state": {"GET": None},
    f"{CAPABILITY}/history": {"GET": None},
    CATALOG: {"GET": None},
    f"{CATALOG}/installability": {"GET": None},
    f"{CATALOG}/install": {"POST": {}, "DELETE": None},
    MARKETPLACE: {"GET": None},
    f"{MARKETPLACE}/install": {"POST": {}, "DELETE": None},
    "/v1/space/installs/{install_id}/connection": {"GET": None, "POST": {}, "DELETE": None},
    "/v1/space/installs/{install_id}/connection/complete": {"POST": {"code": "taken-over", "state": "taken-over"}},
    "/v1/space/installs/{install_id}": {
        "GET": None,
        "PATCH": {"params": {"current_weather": {"location": "Oslo"}}},
    },
}

# What the catalog shows belongs to everybody: here only a package that was never listed is a stranger's.
CATALOG_ROUTES = {CATALOG, f"{CATALOG}/installability", f"{CATALOG}/install", MARKETPLACE, f"{MARKETPLACE}/install"}
# Anybody may read these without a token.
PUBLIC_ROUTES = {CATALOG, f"{CATALOG}/installability"}
# These take no access token of an app, whatever the id.
ID_TOKEN_PREFIXES = (APPS, MANAGE, "/v1/space/", f"{CATALOG}/install/")

# Bodies of the routes whose path names nothing.
COLLECTION_BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/providers/account"): {
        "company_name": "Other Company",
        "email": "new@example.com",
        "password": "a long and unusual one",
    },
    ("PATCH", "/v1/providers/account"): {"company_name": "Acme Weather Ltd"},
    ("POST", "/v1/providers/account/verify"): {"token": "mt_unknown-token-of-some-length"},
    ("POST", "/v1/providers/account/verify/resend"): {},
    ("POST", "/v1/providers/account/password-reset"): {"email": "nobody@example.com"},
    ("POST", "/v1/providers/account/password-reset/confirm"): {
        "token": "mt_unknown-token-of-some-length",
        "password": "a long and unusual one",
    },
    ("POST", "/v1/providers/account/login"): {"email": "nobody@example.com", "password": "a long and unusual one"},
    ("POST", "/v1/providers/account/token/refresh"): {"refresh_token": "rt_unknown-token-of-some-length"},
    ("POST", APPS): {"name": "Acme Weather", "webhook_url": "https://acmeweather.com/webhooks"},
    ("POST", "/v1/providers/auth/token"): {
        "grant_type": "client_credentials",
        "client_id": "ci_unknown",
        "client_secret": "cs_live_unknown",
    },
    **{
        ("POST", f"/v1/providers/auth/{path}"): {
            "token": "an.unknown.token",
            "client_id": "ci_unknown",
            "client_secret": "cs_live_unknown",
        }
        for path in ("revoke", "introspect")
    },
    ("POST", RUNTIME): {
        "name": "Acme Weather",
        "description": "Real-time weather data and forecasts",
        "runtime_url": "https://api.acmeweather.com/aiffinity",
    },
    ("POST", MANAGE): {
        "appId": "{app_id}",
        "name": "Acme Weather",
        "slug": "acme-weather-next",
        "description": "Current conditions and forecasts for any place.",
        "riskTier": "data_only",
        "capabilities": [documents.STATE],
    },
}


def takes_app_tokens(path: str) -> bool:
    """Say whether a route admits the access token of an app, as far as its kind goes."""
    return not f"{path}/".startswith(ID_TOKEN_PREFIXES)
