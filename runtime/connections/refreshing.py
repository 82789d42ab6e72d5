"""Renewing access tokens ahead of their end, under a lease (spec 4 "Auth profiles and connections").

A refresh token may work only once, so exactly one refresh of a connection is under way at a time: whoever
holds the lease writes its outcome under the fence of the claim. A worker that dies between the provider's
answer and that write may cost the user a reconnection; nothing on this side of the wire can prevent that.
"""

import logging
import time
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.db import connection as database
from django.db.models import F
from django.utils import timezone

from aiffinity.lib.errors import PlatformError
from aiffinity.lib.outbound import OutboundError, OutboundRequest, OutboundResponse, client
from runtime.connections.authority import is_made_with
from runtime.connections.claims import BATCH_SIZE, claim_due, claim_one, may_send
from runtime.connections.stored import Grant, fresh_columns, open_content, record
from runtime.connections.token_endpoint import GrantRefused, read_grant, refresh_form, token_request
from runtime.models import Connection, ConnectionStatus
from runtime.provider_client import breaker

logger = logging.getLogger(__name__)

ACTOR = "system"
FIRST_RETRY_SECONDS = 10
MAX_RETRY_SECONDS = 600
DATABASE_PAUSE = timedelta(seconds=0.5)
PROFILE_CHANGED = "The provider changed where its users sign in."
HELD_BACK = "The provider's token endpoint failed too often; refreshes are held back for a moment."
NO_REFRESH_TOKEN = "The access token ended and there is no refresh token."  # noqa: S105  Words, not a token.


def refresh_due_connections() -> int:
    """Refresh a batch of the connections that are due; return how many it was."""
    claimed = claim_due(ConnectionStatus.ACTIVE)
    _refresh(claimed)
    return len(claimed)


def refresh_now(connection: Connection) -> bool:
    """Refresh one connection at once; return False while somebody else does so, or did a moment ago in vain."""
    if connection.attempts_made and last_attempt_at(connection) > timezone.now() - timedelta(
        seconds=FIRST_RETRY_SECONDS
    ):
        return False
    claimed = claim_one(connection)
    if claimed is None:
        return False
    _refresh([claimed])
    return True


def require_reconnection(connection: Connection, code: str, reason: str, *, actor: str = ACTOR) -> bool:
    """Mark a connection as one that the user has to make anew, and post `connection.failed`; once.

    `code` is the stable word of the event: refresh_refused, profile_changed, token_ended or by_staff. Returns
    False where the connection changed since it was read.
    """
    with transaction.atomic():
        held = Connection.objects.filter(pk=connection.pk, fence=connection.fence, status=ConnectionStatus.ACTIVE)
        is_marked = held.update(
            status=ConnectionStatus.RECONNECT_REQUIRED,
            next_attempt_at=None,
            lease_until=None,
            last_error=reason[:200],
            updated_at=timezone.now(),
        )
        if is_marked:
            record(connection, "connection.failed", actor=actor, reason=reason, code=code)
    return bool(is_marked)


def last_attempt_at(connection: Connection) -> datetime:
    """Return when a connection whose refresh is put off was tried last."""
    due_at = connection.next_attempt_at or timezone.now()
    return due_at - timedelta(seconds=_retry_seconds(connection.attempts_made))


def _refresh(claimed: list[Connection]) -> None:
    """Send all requests at once, with no transaction open, and write each outcome as it comes."""
    rows = {row.pk: row for row in claimed}
    requests = [request for row in claimed if (request := _request(row)) is not None]
    if not requests:
        return
    if not database.in_atomic_block:
        database.close()
    still_held = (request for request in requests if may_send(rows[str(request.tag)]))
    unwritten: list[tuple[Connection, OutboundResponse | OutboundError]] = []
    for request, outcome in client().send_many(still_held, max_in_flight=BATCH_SIZE):
        row = rows[str(request.tag)]
        breaker.record(_circuit(row), not isinstance(outcome, OutboundError) and outcome.status < 500)
        # While the database is away nothing is tried, so that the answers that still come are not held up.
        if unwritten or not _is_written(row, outcome):
            unwritten.append((row, outcome))
    for row, outcome in unwritten:
        _write_patiently(row, outcome)


def _write_patiently(row: Connection, outcome: OutboundResponse | OutboundError) -> None:
    """Write an outcome once the database is back: new tokens that are lost cost the user a reconnection."""
    while not _is_written(row, outcome):
        if row.lease_until is None or timezone.now() + DATABASE_PAUSE > row.lease_until:
            logger.error("the outcome of a refresh is lost", extra={"connection_id": row.pk})
            return
        time.sleep(DATABASE_PAUSE.total_seconds())


def _is_written(row: Connection, outcome: OutboundResponse | OutboundError) -> bool:
    """Write what an answer means; False where the database is away. Inside a transaction that is raised."""
    try:
        _write(row, outcome)
    except (OperationalError, InterfaceError):
        if database.in_atomic_block:
            raise
        database.close()
        return False
    return True


def _write(row: Connection, outcome: OutboundResponse | OutboundError) -> None:
    try:
        grant = read_grant(outcome, asked_scopes=row.scopes, earlier=open_content(row))
    except GrantRefused as refused:
        reason = f"The provider refused the refresh token: {refused.code}."
        require_reconnection(row, "refresh_refused", reason)
    except PlatformError as error:
        _retry_later(row, error.message)
    else:
        _keep(row, grant)


def _request(row: Connection) -> OutboundRequest | None:
    """Return the request of a refresh; None where there can't be one, which the row tells then.

    A token endpoint that keeps failing is left alone for half a minute, so that thousands of its connections
    don't hold up those of others.
    """
    app = row.runtime_app
    if not is_made_with(row, app.auth_profile):
        require_reconnection(row, "profile_changed", PROFILE_CHANGED)
        return None
    try:
        refresh_token = open_content(row).refresh_token
        if refresh_token is not None and not breaker.allow(_circuit(row)):
            _retry_later(row, HELD_BACK)
            return None
        if refresh_token is not None:
            return token_request(app, refresh_form(refresh_token), tag=row.pk)
    except PlatformError as error:
        _retry_later(row, error.message)
        return None
    except ValueError:
        # A missing master key comes back; one row that doesn't open must not hold up the others.
        logger.exception("a connection does not open", extra={"connection_id": row.pk})
        _retry_later(row, "The sealed content does not open.")
        return None
    require_reconnection(row, "token_ended", NO_REFRESH_TOKEN)
    return None


def _circuit(row: Connection) -> tuple[str, str]:
    return (row.runtime_app_id, "token_endpoint")


def _keep(row: Connection, grant: Grant) -> None:
    """Write new tokens; of a connection that is being revoked meanwhile too, so that these are the ones revoked.

    They stand under a fence of their own: whoever looked during the refresh saw the old ones, and neither refreshes
    once more nor takes a refusal of theirs for one of the new.
    """
    columns = fresh_columns(row, grant) | {"scopes": grant.scopes, "updated_at": timezone.now()}
    held = Connection.objects.filter(pk=row.pk, fence=row.fence)
    if held.filter(status=ConnectionStatus.ACTIVE).update(fence=F("fence") + 1, **columns):
        return
    held.filter(status=ConnectionStatus.REVOKING).update(
        sealed_content=columns["sealed_content"], next_attempt_at=timezone.now(), lease_until=None
    )


def _retry_later(row: Connection, shown: str) -> None:
    attempts = row.attempts_made + 1
    Connection.objects.filter(pk=row.pk, fence=row.fence, status=ConnectionStatus.ACTIVE).update(
        attempts_made=attempts,
        next_attempt_at=timezone.now() + timedelta(seconds=_retry_seconds(attempts)),
        lease_until=None,
        last_error=shown[:200],
    )


def _retry_seconds(attempts: int) -> int:
    return int(min(FIRST_RETRY_SECONDS * 2 ** min(attempts - 1, 16), MAX_RETRY_SECONDS))
