"""How an app authenticates its users: the profile, its write-only fields and the hash that approvals bind."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from aiffinity.lib.audit import append_audit
from aiffinity.lib.canonical import content_hash
from aiffinity.lib.crypto import Secret
from aiffinity.lib.errors import NotFound
from runtime.models import RuntimeApp
from runtime.sealing import AUTH_PROFILE, seal, unseal

OAUTH2, API_KEY, CREDENTIAL = "oauth2", "api_key", "credential"
STRATEGIES = (OAUTH2, API_KEY, CREDENTIAL)

_URL_FIELDS = ("token_url", "validation_url")


@dataclass(frozen=True)
class AuthSecrets:
    """A profile's write-only fields: the platform's own client secret and the provider's test connection.

    `test_fields` are the values of a credential profile's fields.
    """

    client_secret: Secret | None = None
    test_access_token: Secret | None = None
    test_api_key: Secret | None = None
    test_fields: dict[str, Secret] | None = None

    @property
    def has_test_connection(self) -> bool:
        """Say whether validation can call as somebody."""
        return any((self.test_access_token, self.test_api_key, self.test_fields))


def put_auth_profile(
    runtime_app: RuntimeApp,
    *,
    actor: str,
    profile: dict[str, Any],
    given_secrets: dict[str, Any],
) -> RuntimeApp:
    """Replace the auth profile and return the app.

    `profile` is `{"strategy", "<strategy>": {…}}` without secrets; `given_secrets` may hold `client_secret`
    and `test_connection` {access_token | api_key | fields}. A write-only field that is left out stays as it
    was, as long as the strategy does; null erases it. Source: runtime configuration, "Auth Profile
    Configuration"; spec 2 "Shapes".
    """
    with transaction.atomic():
        locked = RuntimeApp.objects.get_locked(runtime_app.pk)
        is_same_strategy = (locked.auth_profile or {}).get("strategy") == profile["strategy"]
        kept = _read_secrets(locked) if is_same_strategy else {}
        merged = {name: value for name, value in {**kept, **given_secrets}.items() if value is not None}
        locked.auth_profile = profile
        locked.sealed_auth_secrets = seal(locked, AUTH_PROFILE, Secret(json.dumps(merged))) if merged else ""
        locked.config_hash = config_hash(locked)
        locked.save(update_fields=["auth_profile", "sealed_auth_secrets", "config_hash", "updated_at"])
        append_audit(
            subject=locked.pk,
            action="auth_profile.set",
            actor=actor,
            data={"strategy": profile["strategy"]},
            content_hash=locked.config_hash,
        )
    return locked


def require_auth_profile(runtime_app: RuntimeApp) -> dict[str, Any]:
    """Return the profile without secrets. Raises NotFound where none was set."""
    if runtime_app.auth_profile is None:
        raise NotFound("This app has no auth profile yet.")
    profile: dict[str, Any] = runtime_app.auth_profile
    return profile


def auth_secrets(runtime_app: RuntimeApp) -> AuthSecrets:
    """Open the profile's write-only fields."""
    opened = _read_secrets(runtime_app)
    test = opened.get("test_connection", {})
    fields = test.get("fields")
    return AuthSecrets(
        client_secret=_secret(opened.get("client_secret")),
        test_access_token=_secret(test.get("access_token")),
        test_api_key=_secret(test.get("api_key")),
        test_fields={name: Secret(value) for name, value in fields.items()} if fields else None,
    )


def secret_fields(runtime_app: RuntimeApp, values: Mapping[str, Secret]) -> list[Secret]:
    """Return those values of a credential profile's fields that are secrets.

    A field of type text, such as a subdomain or a user name, is not hidden from the user, and turns up in what the
    provider tells about their account.
    """
    section = (runtime_app.auth_profile or {}).get(CREDENTIAL, {})
    shown = {field["name"] for field in section.get("fields", ()) if field["type"] == "text"}
    return [secret for name, secret in values.items() if name not in shown]


def keep_client_secret_alone(runtime_app: RuntimeApp) -> str:
    """Return the sealed write-only fields without the test connection, for an app that only revokes from now on."""
    secret = _read_secrets(runtime_app).get("client_secret")
    if secret is None:
        return ""
    return seal(runtime_app, AUTH_PROFILE, Secret(json.dumps({"client_secret": secret})))


def config_hash(runtime_app: RuntimeApp) -> str:
    """Hash what an approval binds besides a version's content (spec 3 "Approval covers what it saw")."""
    return content_hash(config_parts(runtime_app))


def config_parts(runtime_app: RuntimeApp) -> dict[str, Any]:
    """Return the auth profile without secrets, and origins and paths of runtime, token and validation URLs."""
    profile = runtime_app.auth_profile or {}
    settings = profile.get(profile.get("strategy"), {})
    urls = {name: _origin_and_path(settings[name]) for name in _URL_FIELDS if settings.get(name)}
    urls["runtime_url"] = _origin_and_path(runtime_app.runtime_url)
    return {"auth_profile": profile, "urls": urls}


def _origin_and_path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _read_secrets(runtime_app: RuntimeApp) -> dict[str, Any]:
    if not runtime_app.sealed_auth_secrets:
        return {}
    opened: dict[str, Any] = json.loads(unseal(runtime_app, AUTH_PROFILE, runtime_app.sealed_auth_secrets).reveal())
    return opened


def _secret(value: str | None) -> Secret | None:
    return None if value is None else Secret(value)
