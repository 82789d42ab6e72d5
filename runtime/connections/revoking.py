"""Giving connections back: unusable at once, revoked at the provider as soon as it answers, then erased."""

import logging
from datetime import timedelta

from django.db import connection as database
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from aiffinity.lib.errors import PlatformError
from aiffinity.lib.outbound import OutboundError, OutboundRequest, OutboundResponse, client
from aiffinity.lib.wakeups import wake_on_commit
from runtime.auth_profiles import OAUTH2
from runtime.connections.authority import is_made_with
from runtime.connections.claims import BATCH_SIZE, claim_due
from runtime.connections.stored import open_content, record
from runtime.connections.token_endpoint import revocation_request
from runtime.models import Connection, ConnectionStatus, RuntimeApp
from runtime.models.connections import ConnectionQuerySet
from runtime.provider_client import breaker

logger = logging.getLogger(__name__)

ACTOR = "system"
PATIENCE = timedelta(hours=24)
FIRST_RETRY_SECONDS = 10
MAX_RETRY_SECONDS = 3600
HELD_BACK = "The provider's revocation endpoint failed too often; revocations are held back for a moment."


def begin_revocation(connections: ConnectionQuerySet) -> int:
    """Make connections unusable at once, inside the caller's transaction; return how many stood.

    One that is being refreshed keeps its fence: the tokens of that refresh are the ones to revoke, so the
    revocation waits for the end of its lease. A worker does the rest.
    """
    now = timezone.now()
    count = connections.standing().update(
        status=ConnectionStatus.REVOKING,
        next_attempt_at=Coalesce(F("lease_until"), Value(now)),
        attempts_made=0,
        revoke_until=now + PATIENCE,
        updated_at=now,
    )
    if count:
        wake_on_commit("runtime.tasks.revoke_connections")
    return count


def revoke_due_connections() -> int:
    """Revoke a batch of the connections that are due, and erase those that are done; return how many it was."""
    claimed = claim_due(ConnectionStatus.REVOKING)
    rows = {row.pk: row for row in claimed}
    requests: list[OutboundRequest] = []
    for row in claimed:
        try:
            request = _request(row)
        except ValueError:
            # A missing master key comes back; one row that doesn't open must not hold up the others.
            logger.exception("a connection does not open", extra={"connection_id": row.pk})
            _retry_or_erase(row, "The sealed content does not open.")
            continue
        if request is None:
            _erase(row, "Nothing to revoke at the provider.")
        elif not breaker.allow(_circuit(row, request)):
            # Thousands of uninstalls of one app must not hold up those of others.
            _retry_or_erase(row, HELD_BACK)
        else:
            requests.append(request)
    if requests and not database.in_atomic_block:
        database.close()
    for request, outcome in client().send_many(requests, max_in_flight=BATCH_SIZE):
        row = rows[str(request.tag)]
        breaker.record(_circuit(row, request), not isinstance(outcome, OutboundError) and outcome.status < 500)
        _write(row, outcome)
    return len(claimed)


def _request(row: Connection) -> OutboundRequest | None:
    """Return the request that revokes a connection, None where the provider takes none."""
    app = row.runtime_app
    if row.strategy != OAUTH2 or not is_made_with(row, app.auth_profile):
        return None
    try:
        return revocation_request(app, open_content(row), tag=row.pk)
    except PlatformError:
        return None


def _circuit(row: Connection, request: OutboundRequest) -> tuple[str, str]:
    # By address: that of users who connected earlier may be another one.
    return (row.runtime_app_id, request.url)


def _write(row: Connection, outcome: OutboundResponse | OutboundError) -> None:
    """Erase what is revoked; 200 is the answer for an unknown token too (RFC 7009 section 2.2)."""
    if isinstance(outcome, OutboundResponse) and outcome.is_success:
        _erase(row, "The provider revoked it.")
        return
    _retry_or_erase(row, outcome.message if isinstance(outcome, OutboundError) else f"HTTP {outcome.status}")


def _retry_or_erase(row: Connection, shown: str) -> None:
    """Put the next attempt off, to the end of the patience at the latest; there the connection is erased anyway."""
    now = timezone.now()
    if row.revoke_until is not None and row.revoke_until <= now:
        _erase(row, f"The provider did not revoke it within {PATIENCE.days * 24} hours: {shown}")
        return
    attempts = row.attempts_made + 1
    next_attempt_at = now + timedelta(seconds=min(FIRST_RETRY_SECONDS * 2 ** min(attempts - 1, 16), MAX_RETRY_SECONDS))
    Connection.objects.filter(pk=row.pk, fence=row.fence).update(
        attempts_made=attempts,
        next_attempt_at=min(next_attempt_at, row.revoke_until or next_attempt_at),
        lease_until=None,
        last_error=shown[:200],
    )


def _erase(row: Connection, reason: str) -> None:
    with transaction.atomic():
        # The app's row first, as its deletion does: whoever comes last erases what its revocations needed. The app
        # is read after the lock: a joined one would be as it was before the wait for it.
        app = RuntimeApp.objects.select_for_update(no_key=True).get(pk=row.runtime_app_id).app
        deleted, _ = Connection.objects.filter(pk=row.pk, fence=row.fence).delete()
        if not deleted:
            return
        record(row, "connection.revoked", actor=ACTOR, reason=reason)
        if app.deleted_at is not None and not Connection.objects.of_app(app).exists():
            RuntimeApp.objects.filter(pk=app.pk).update(sealed_auth_secrets="")
