"""Claiming apps for a check: many that are due, or one, under a lease and a fence (spec 6 "leases and fencing").

While an app is being checked its due time is the end of the lease, so that one range of one index finds what is due
and what a dead worker left behind. Only active apps with a health URL are in that index; an app that was deleted
loses its due time for good.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from runtime.models import RuntimeApp

BATCH_SIZE = 200
# The time limit of a look and as much again to start it and to write down what it saw.
LEASE = timedelta(seconds=15)
FRESH_FOR = timedelta(seconds=60)

_CLAIM_DUE = """
WITH chosen AS MATERIALIZED (
    SELECT app_id, next_health_check_at AS due_at FROM runtime_runtimeapp
    WHERE status = 'active' AND health_check_url <> '' AND next_health_check_at <= %(due_by)s
    ORDER BY next_health_check_at LIMIT %(batch)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE runtime_runtimeapp a
SET health_fence = a.health_fence + 1,
    health_lease_until = CASE WHEN p.deleted_at IS NULL THEN %(lease_until)s END,
    next_health_check_at = CASE WHEN p.deleted_at IS NULL THEN %(lease_until)s END
FROM chosen JOIN providers_app p ON p.id = chosen.app_id
WHERE a.app_id = chosen.app_id
RETURNING a.app_id, a.health_fence, a.health_check_url, chosen.due_at, a.next_health_check_at
"""
_CLAIM_ONE = """
UPDATE runtime_runtimeapp
SET health_fence = health_fence + 1,
    health_lease_until = %(lease_until)s,
    next_health_check_at = CASE WHEN next_health_check_at IS NOT NULL THEN %(lease_until)s END
WHERE app_id = %(app_id)s AND health_check_url <> ''
  AND (%(is_forced)s OR (
      (health_checked_at IS NULL OR health_checked_at < %(stale_before)s)
      AND (health_lease_until IS NULL OR health_lease_until < %(now)s)))
RETURNING app_id, health_fence, health_check_url
"""


@dataclass(frozen=True)
class CheckClaim:
    """The right to check an app until its lease ends; what comes of it counts under `fence` and for `url` alone."""

    app_id: str
    fence: int
    url: str
    due_at: datetime
    lease_until: datetime


def claim_due_checks(limit: int = BATCH_SIZE, *, due_by: datetime | None = None) -> list[CheckClaim]:
    """Claim at most `limit` apps whose turn it is, the longest overdue first; one query, which waits for nobody.

    With `due_by`, a moment that is past, only those whose turn had come by then.
    """
    now = timezone.now()
    lease_until = now + LEASE
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_DUE, {"due_by": due_by or now, "batch": limit, "lease_until": lease_until})
        rows = cursor.fetchall()
    # A deleted app was taken out of the schedule by this very claim.
    return [CheckClaim(app_id, fence, url, due_at, lease_until) for app_id, fence, url, due_at, turn in rows if turn]


def claim_check(app_id: str, *, is_forced: bool) -> CheckClaim | None:
    """Claim one app, or None where that isn't possible.

    A forced claim takes the app from whoever checks it, and goes without only where it has no health URL. Else the
    last check must be older than 60 seconds and nobody may be at it.
    """
    now = timezone.now()
    values: dict[str, str | bool | datetime] = {
        "app_id": app_id,
        "now": now,
        "lease_until": now + LEASE,
        "stale_before": now - FRESH_FOR,
        "is_forced": is_forced,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_ONE, values)
        row = cursor.fetchone()
    if row is None:
        return None
    _, fence, url = row
    return CheckClaim(app_id, fence, url, due_at=now, lease_until=now + LEASE)


def has_due_checks() -> bool:
    """Say whether some app's turn has come, by one look at the index."""
    return RuntimeApp.objects.checked_for_health().filter(next_health_check_at__lte=timezone.now()).exists()
