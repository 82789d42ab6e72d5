"""What a user sees of an install's connection: what the provider asks for, and how it stands."""

from typing import Any

from capabilities.models import Install
from runtime.auth_profiles import OAUTH2
from runtime.connections.authority import shown_status, strategy_of
from runtime.connections.authorization import Authorization
from runtime.models import Connection

NOT_CONNECTED = "none"


def connection_document(install: Install, connection: Connection | None) -> dict[str, Any]:
    """Render an install's connection, or what it takes to make one: status `none`.

    `fields` and `instructions` are what the user fills in with the strategies credential and api_key.
    """
    runtime_app = getattr(install.package.app, "runtime_app", None)
    strategy = None if runtime_app is None else strategy_of(runtime_app)
    profile = None if runtime_app is None else runtime_app.auth_profile
    section = {} if profile is None else profile[strategy]
    return {
        "id": None if connection is None else connection.pk,
        "install_id": install.pk,
        "required": strategy is not None,
        "strategy": strategy,
        "status": NOT_CONNECTED
        if connection is None
        else shown_status(connection.status, connection.authority_hash, profile),
        "scopes": section.get("scopes", []) if connection is None else connection.scopes,
        "instructions": section.get("instructions") or None,
        "fields": section.get("fields", []),
        "connected_at": None if connection is None else connection.connected_at,
        "expires_at": None if connection is None else connection.expires_at,
    }


def authorization_document(install: Install, authorization: Authorization) -> dict[str, Any]:
    """Render where the user goes next."""
    return {
        "install_id": install.pk,
        "strategy": OAUTH2,
        "authorization_url": authorization.authorization_url,
        "state": authorization.state,
        "expires_at": authorization.expires_at,
    }
