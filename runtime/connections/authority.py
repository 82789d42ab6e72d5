"""With whom a connection was made: it is never used with anybody else."""

from typing import Any

from aiffinity.lib.canonical import content_hash
from aiffinity.lib.errors import InvalidState
from runtime.auth_profiles import API_KEY, CREDENTIAL, OAUTH2
from runtime.models import RuntimeApp

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
    somebody whom the user never saw.
    """
    section, strategy = strategy_settings(runtime_app), strategy_of(runtime_app)
    parts = {name: section.get(name, "") for name in _PARTS[str(strategy)]}
    return content_hash({"strategy": strategy, **parts})
