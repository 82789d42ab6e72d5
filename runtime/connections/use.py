"""What a call of a provider carries of the user's connection."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection as database
from django.utils import timezone

from aiffinity.lib.crypto import Secret
from aiffinity.lib.errors import ConnectionRequired, Detail, UpstreamError
from runtime.connections.authority import is_made_with, strategy_of
from runtime.connections.refreshing import NO_REFRESH_TOKEN, PROFILE_CHANGED, refresh_now, require_reconnection
from runtime.connections.stored import open_content
from runtime.models import Connection, ConnectionStatus, RuntimeApp

EXPIRY_SLACK = timedelta(seconds=5)
MIN_TOKEN_AGE = timedelta(minutes=1)
MAX_WAIT_SECONDS = 12.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Credentials:
    """The part of a call that belongs to the user; `fence` names the tokens that it was opened with.

    `can_refresh` says that a refresh token stands beside the access token.
    """

    connection_id: str = ""
    fence: int = 0
    access_token: Secret | None = None
    api_key: Secret | None = None
    fields: dict[str, Secret] | None = None
    connected_at: datetime | None = None
    can_refresh: bool = False


NONE_NEEDED = Credentials()


def open_credentials(runtime_app: RuntimeApp, install_id: str) -> Credentials:
    """Return what a call for this install carries, its access token renewed where it has ended.

    Raises CONNECTION_REQUIRED (422) where the user has to connect, or to connect anew, and UPSTREAM_ERROR
    (502) where the access token ended and the provider's token endpoint doesn't answer.
    """
    if strategy_of(runtime_app) is None:
        return NONE_NEEDED
    connection = standing_connection(runtime_app, install_id)
    if _has_ended(connection):
        connection = _renewed(runtime_app, connection)
    connection.runtime_app = runtime_app
    content = open_content(connection)
    return Credentials(
        connection.pk,
        connection.fence,
        content.access_token,
        content.api_key,
        content.fields,
        connected_at=connection.connected_at,
        can_refresh=content.refresh_token is not None,
    )


def standing_connection(runtime_app: RuntimeApp, install_id: str) -> Connection:
    """Return the install's connection. Raises CONNECTION_REQUIRED (422) where none works.

    One that was made with another authority is marked as one to make anew.
    """
    connection = Connection.objects.standing().filter(runtime_app=runtime_app, install_id=install_id).first()
    if connection is None:
        raise ConnectionRequired("Connect this install to the provider first: its app asks for the user's own access.")
    if connection.status == ConnectionStatus.RECONNECT_REQUIRED:
        raise _reconnect("The provider no longer takes the connection; connect this install anew.")
    if not is_made_with(connection, runtime_app.auth_profile):
        require_reconnection(connection, "profile_changed", PROFILE_CHANGED)
        raise _reconnect("The provider changed where its users sign in; connect this install anew.")
    return connection


def is_still_connected(credentials: Credentials) -> bool:
    """Say whether what a call carried is still the user's access.

    What a revoked connection brought is not kept, nor what came before the user connected anew, perhaps as somebody
    else at the provider.
    """
    if credentials.connected_at is None:
        return True
    same = Connection.objects.standing().filter(pk=credentials.connection_id, connected_at=credentials.connected_at)
    return same.exists()


def forget_access_token(credentials: Credentials) -> bool:
    """Take a token that the provider refused for ended; return whether opening the credentials anew may help.

    A token that is younger than a minute stays: a provider that refuses every token must not be asked for a new
    one at each call. One whose end was never told (no `expires_in`) ends by this alone.
    """
    rows = Connection.objects.filter(pk=credentials.connection_id, status=ConnectionStatus.ACTIVE)
    newer = rows.filter(fence__gt=credentials.fence)
    # While somebody renews it just now, the old token is still the one that stands there.
    if newer.filter(lease_until__gt=timezone.now()).update(expires_at=timezone.now()) or newer.exists():
        return True
    old = rows.filter(fence=credentials.fence, updated_at__lt=timezone.now() - MIN_TOKEN_AGE)
    if old.exclude(next_attempt_at=None).update(expires_at=timezone.now()):
        return True
    now = timezone.now()
    endless = old.filter(expires_at=None, next_attempt_at=None)
    return endless.update(expires_at=now, next_attempt_at=now if credentials.can_refresh else None) == 1


def _has_ended(connection: Connection, *, slack: timedelta = EXPIRY_SLACK) -> bool:
    return connection.expires_at is not None and connection.expires_at <= timezone.now() + slack


def _renewed(runtime_app: RuntimeApp, connection: Connection) -> Connection:
    """Renew the access token, or wait for whoever does so already."""
    if connection.next_attempt_at is None:
        require_reconnection(connection, "token_ended", NO_REFRESH_TOKEN)
    elif not refresh_now(connection):
        _wait_for_other(connection)
    renewed = standing_connection(runtime_app, connection.install_id)
    # A token that lives for seconds only is good for the call that it was renewed for.
    if _has_ended(renewed, slack=timedelta(0)):
        message = "The user's access at the provider ended, and its token endpoint does not renew it now."
        raise UpstreamError(message, details=[Detail("", "token_refresh_failed", renewed.last_error or message)])
    return renewed


def _wait_for_other(connection: Connection) -> None:
    """Look until the lease of another's refresh has ended; the connection's row says so alone."""
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while time.monotonic() < deadline:
        held = Connection.objects.filter(pk=connection.pk, lease_until__gt=timezone.now()).exists()
        if not database.in_atomic_block:
            database.close()
        if not held:
            return
        time.sleep(POLL_SECONDS)


def _reconnect(message: str) -> ConnectionRequired:
    return ConnectionRequired(message, details=[Detail("", "reconnect_required", message)])
