"""Keeping what a user's connection consists of, and opening it again."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from aiffinity.lib.audit import append_audit
from aiffinity.lib.crypto import Secret
from providers.models import User
from providers.opaque_ids import opaque_user_id
from runtime.connections.authority import authority_hash, strategy_of
from runtime.events import post_event
from runtime.models import Connection, ConnectionStatus, RuntimeApp
from runtime.sealing import connection_name, seal, unseal

MAX_REFRESH_MARGIN_SECONDS = 300


@dataclass(frozen=True)
class Content:
    """What a connection holds: tokens (oauth2), the key (api_key), or the fields (credential).

    `revocation_url` is the one of the profile when the user connected: a later one never gets the tokens.
    """

    access_token: Secret | None = None
    refresh_token: Secret | None = None
    api_key: Secret | None = None
    fields: dict[str, Secret] | None = None
    revocation_url: str = ""


@dataclass(frozen=True)
class Grant:
    """What the provider granted; `lifetime_seconds` is that of the access token, None where it wasn't told."""

    content: Content
    lifetime_seconds: int | None = None
    scopes: list[str] = field(default_factory=list)


def store_connection(runtime_app: RuntimeApp, grant: Grant, *, install_id: str, user: User, actor: str) -> Connection:
    """Keep a grant as the install's connection, in place of an earlier one, inside the caller's transaction.

    Writes the audit row and posts `connection.created`.
    """
    row = Connection.objects.standing().select_for_update().filter(install_id=install_id).first()
    connection = row or Connection(install_id=install_id, runtime_app=runtime_app, user=user)
    connection.strategy = str(strategy_of(runtime_app))
    connection.status = ConnectionStatus.ACTIVE
    connection.authority_hash = authority_hash(runtime_app)
    connection.scopes = grant.scopes
    connection.connected_at = timezone.now()
    connection.fence += 1
    for name, value in fresh_columns(connection, grant).items():
        setattr(connection, name, value)
    connection.save()
    record(connection, "connection.created", actor=actor)
    return connection


def fresh_columns(connection: Connection, grant: Grant) -> dict[str, Any]:
    """Return the columns that a grant sets, be it the first one or a refresh."""
    expires_at = _expiry(grant.lifetime_seconds)
    can_refresh = grant.content.refresh_token is not None and expires_at is not None
    return {
        "sealed_content": seal_content(connection, grant.content),
        "expires_at": expires_at,
        "next_attempt_at": _refresh_time(expires_at, grant.lifetime_seconds) if can_refresh else None,
        "attempts_made": 0,
        "lease_until": None,
        "last_error": "",
    }


def seal_content(connection: Connection, content: Content) -> str:
    """Seal a connection's content to its place."""
    plain: dict[str, Any] = {
        name: secret.reveal()
        for name, secret in (
            ("access_token", content.access_token),
            ("refresh_token", content.refresh_token),
            ("api_key", content.api_key),
        )
        if secret is not None
    }
    if content.revocation_url:
        plain["revocation_url"] = content.revocation_url
    if content.fields is not None:
        plain["fields"] = {name: secret.reveal() for name, secret in content.fields.items()}
    return seal(connection.runtime_app, connection_name(connection), Secret(json.dumps(plain)))


def open_content(connection: Connection) -> Content:
    """Open a connection's content; reads the app's row where it isn't at hand."""
    sealed = unseal(connection.runtime_app, connection_name(connection), connection.sealed_content)
    plain: dict[str, Any] = json.loads(sealed.reveal())
    fields = plain.get("fields")
    return Content(
        access_token=_secret(plain.get("access_token")),
        refresh_token=_secret(plain.get("refresh_token")),
        api_key=_secret(plain.get("api_key")),
        fields=None if fields is None else {name: Secret(value) for name, value in fields.items()},
        revocation_url=plain.get("revocation_url", ""),
    )


def record(connection: Connection, event_type: str, *, actor: str, reason: str = "", code: str = "") -> None:
    """Write the audit row and the event of what happened to a connection, in the caller's transaction.

    `reason` is for people and stands in the audit row; `code` is the stable word that the provider gets.
    """
    append_audit(
        subject=connection.pk,
        action=event_type,
        actor=actor,
        reason=reason,
        data={"install_id": connection.install_id, "strategy": connection.strategy},
    )
    data = {
        "connection_id": connection.pk,
        "install_id": connection.install_id,
        "user_id": opaque_user_id(connection.user_id, connection.runtime_app_id),
    }
    post_event(connection.runtime_app_id, event_type, data | ({"reason": code} if code else {}))


def _expiry(lifetime_seconds: int | None) -> datetime | None:
    return None if lifetime_seconds is None else timezone.now() + timedelta(seconds=lifetime_seconds)


def _refresh_time(expires_at: datetime | None, lifetime_seconds: int | None) -> datetime | None:
    """Refresh when a fifth of the lifetime is left, at most five minutes ahead."""
    if expires_at is None or lifetime_seconds is None:
        return None
    return expires_at - timedelta(seconds=min(MAX_REFRESH_MARGIN_SECONDS, lifetime_seconds / 5))


def _secret(value: str | None) -> Secret | None:
    return None if value is None else Secret(value)
