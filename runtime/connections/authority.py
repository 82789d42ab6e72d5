"""With whom a connection was made: it is never used with anybody else."""

from typing import Any

from aiffinity.lib.canonical import content_hash
from aiffinity.lib.errors import InvalidState
from runtime.auth_profiles import API_KEY, CREDENTIAL, OAUTH2
from runtime.models import Connection, ConnectionStatus, RuntimeApp

_PARTS = {
    OAUTH2: ("authorization_url", "token_url", "client_id"),
    API_KEY: ("validation_url",),
    CREDENTIAL: ("validation_url",),
}


def strategy_of(runtime_app: RuntimeApp) -> str | None:
    """Return the app's strategy, None where its users need no connection."""
    profile = runtime_app.auth_profile
    return None if profile is None else str(profile["strategy"])


def strategy_settings(runtime_app: RuntimeApp) -> dict[str, Any]:
    """Return the object of the app's strategy. Raises INVALID_STATE (409) where there is none."""
    profile = runtime_app.auth_profile
    if profile is None:
        raise InvalidState("The provider's app asks for no connection.")
    section: dict[str, Any] = profile[profile["strategy"]]
    return section


def authority_hash(runtime_app: RuntimeApp) -> str:
    """Hash the part of the profile that says where credentials come from and go to.

    A connection that was made with another one is not used, refreshed or revoked: its tokens would go to
    somebody whom the user never saw. Raises INVALID_STATE (409) where there is no profile.
    """
    strategy_settings(runtime_app)
    return _hash(runtime_app.auth_profile or {})


def is_made_with(connection: Connection, profile: dict[str, Any] | None) -> bool:
    """Say whether a connection was made with the authority of this auth profile."""
    return profile is not None and _hash(profile) == connection.authority_hash


def shown_status(status: str, made_with: str, profile: dict[str, Any] | None) -> str:
    """Return how a connection stands for its user: an active one that was made with another authority works no more.

    `made_with` is its authority hash. It is marked when a call meets it, or its refresh: a provider may take a
    change back before.
    """
    is_outdated = profile is not None and _hash(profile) != made_with
    return ConnectionStatus.RECONNECT_REQUIRED if is_outdated and status == ConnectionStatus.ACTIVE else status


def _hash(profile: dict[str, Any]) -> str:
    strategy = profile["strategy"]
    parts = {name: profile[strategy].get(name, "") for name in _PARTS[strategy]}
    return content_hash({"strategy": strategy, **parts})
