"""Writing down what checks saw: many at once, each under its claim's fence, and telling whom it concerns.

Three failures in a row make an app degraded and the first success restores it (spec 4 "Health"). Rows that
somebody else holds locked are left for later: one of them must not keep the others waiting.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from aiffinity.lib.envelope import dump_json
from runtime.events import post_event, post_events
from runtime.health.claims import CheckClaim
from runtime.health.looking import Sighting, is_called_unhealthy
from runtime.health.schedule import next_turn
from runtime.models import HealthCheck, HealthStatus, RuntimeApp

STRIKES = 3
EVENTS_AT_FIRST = 10
EVENTS_EVERY = timedelta(hours=1)
REASON = "health_check_timeout"
MAX_CAPABILITIES, MAX_NAME, MAX_WORD = 200, 64, 40

STATE_FIELDS = (
    "health_checked_at",
    "health_lease_until",
    "next_health_check_at",
    "health_status",
    "health_failure_posted_at",
    "consecutive_failures",
    "capability_health",
    "provider_version",
    "uptime_seconds",
)
_READ = ("app_id", "health_fence", "health_check_url", *STATE_FIELDS)
_WRITE = """
UPDATE runtime_runtimeapp a
SET health_checked_at = %s, health_lease_until = NULL,
    next_health_check_at = CASE WHEN a.next_health_check_at IS NOT NULL THEN r.next_turn END,
    health_status = r.status, health_failure_posted_at = r.posted_at, consecutive_failures = r.failures,
    capability_health = coalesce(r.capability_health, a.capability_health),
    provider_version = r.version, uptime_seconds = r.uptime_seconds
FROM unnest(%s::text[], %s::bigint[], %s::timestamptz[], %s::text[], %s::timestamptz[], %s::int[], %s::jsonb[],
            %s::text[], %s::bigint[])
AS r(id, fence, next_turn, status, posted_at, failures, capability_health, version, uptime_seconds)
WHERE a.app_id = r.id AND a.health_fence = r.fence
"""

News = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Seen:
    """What the check of a claim saw."""

    claim: CheckClaim
    sighting: Sighting


def forget_health(row: RuntimeApp) -> None:
    """Clear what checks found of an app that is asked no more, inside the transaction that saves the row."""
    if row.health_status == HealthStatus.DEGRADED:
        post_event(row.pk, "app.recovered", {"consecutive_failures": 0})
    row.health_status, row.capability_health = HealthStatus.UNKNOWN, {}
    row.consecutive_failures, row.health_failure_posted_at = 0, None
    row.provider_version, row.uptime_seconds = "", None


def record_checks(results: Sequence[Seen], *, waits_for_locks: bool = False) -> tuple[list[HealthCheck], list[Seen]]:
    """Write results down in one transaction; returns the rows made and the results that have to wait.

    A result is dropped where its lease has ended, a newer check was claimed since, or the app got another health URL.
    What has to wait belongs to rows that are locked; with `waits_for_locks` there is none.
    """
    now = timezone.now()
    held = [each for each in results if each.claim.lease_until > now]
    if not held:
        return [], []
    with transaction.atomic():
        rows = _lock([each.claim.app_id for each in held], waits_for_locks=waits_for_locks)
        counted = [(rows[each.claim.app_id], each) for each in held if _counts(rows.get(each.claim.app_id), each)]
        postings = [(row.pk, *news) for row, each in counted for news in _apply(row, each.sighting, now)]
        checks = HealthCheck.objects.bulk_create([_check_of(row, each.sighting, now) for row, each in counted])
        if counted:
            told = {row.pk for row, each in counted if each.sighting.body is not None}
            _write([row for row, _ in counted], now, changed=told)
        if postings:
            post_events(postings)
    return checks, [each for each in held if each.claim.app_id not in rows]


def _lock(app_ids: Sequence[str], *, waits_for_locks: bool) -> dict[str, RuntimeApp]:
    found = RuntimeApp.objects.filter(pk__in=app_ids).only(*_READ).order_by("pk")
    return {row.pk: row for row in found.select_for_update(no_key=True, skip_locked=not waits_for_locks)}


def _counts(row: RuntimeApp | None, seen: Seen) -> bool:
    claim = seen.claim
    return row is not None and (row.health_fence, row.health_check_url) == (claim.fence, claim.url)


def _check_of(row: RuntimeApp, sighting: Sighting, now: datetime) -> HealthCheck:
    return HealthCheck(
        runtime_app_id=row.pk,
        checked_at=now,
        is_healthy=sighting.is_healthy,
        status_code=sighting.status_code,
        latency_ms=sighting.latency_ms,
        error=sighting.error,
    )


def _write(rows: Sequence[RuntimeApp], now: datetime, *, changed: set[str]) -> None:
    values = [
        (
            row.pk,
            row.health_fence,
            next_turn(row.pk, now),
            str(row.health_status),
            row.health_failure_posted_at,
            row.consecutive_failures,
            dump_json(row.capability_health).decode() if row.pk in changed else None,
            row.provider_version,
            row.uptime_seconds,
        )
        for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [now, *(list(column) for column in zip(*values, strict=True))])


def _apply(row: RuntimeApp, sighting: Sighting, now: datetime) -> Iterator[News]:
    """Change the row by what was seen, and yield the events that tell of it."""
    if sighting.body is not None:
        _take_over(row, sighting.body)
    if sighting.is_healthy:
        yield from _succeed(row)
    else:
        yield from _fail(row, sighting, now)


def _succeed(row: RuntimeApp) -> Iterator[News]:
    if row.health_status == HealthStatus.DEGRADED:
        yield "app.recovered", {"consecutive_failures": 0}
    row.health_status = HealthStatus.HEALTHY
    row.consecutive_failures, row.health_failure_posted_at = 0, None


def _fail(row: RuntimeApp, sighting: Sighting, now: datetime) -> Iterator[News]:
    row.consecutive_failures += 1
    told = {"reason": REASON, "consecutive_failures": row.consecutive_failures}
    if _is_told(row, now):
        row.health_failure_posted_at = now
        yield "capability.failed", {**told, "status": "error", "latency_ms": sighting.latency_ms}
    if row.consecutive_failures >= STRIKES and row.health_status != HealthStatus.DEGRADED:
        row.health_status = HealthStatus.DEGRADED
        yield "app.degraded", told


def _is_told(row: RuntimeApp, now: datetime) -> bool:
    """Say whether a failed check posts an event: the first ten of a row, then one an hour."""
    posted_at = row.health_failure_posted_at
    is_early = row.consecutive_failures <= EVENTS_AT_FIRST
    return is_early or posted_at is None or posted_at <= now - EVENTS_EVERY


def _take_over(row: RuntimeApp, body: dict[str, Any]) -> None:
    """Keep what a health body says of itself, as far as it is well-formed."""
    version, uptime, capabilities = body.get("version"), body.get("uptime_seconds"), body.get("capabilities")
    row.provider_version = version[:80] if isinstance(version, str) else ""
    row.uptime_seconds = _uptime_seconds(uptime)
    named = capabilities.items() if isinstance(capabilities, dict) else ()
    words = {name: word[:MAX_WORD] for name, word in named if isinstance(word, str) and len(name) <= MAX_NAME}
    # What is called unhealthy comes first: no crowd of others pushes it out.
    kept = sorted(words, key=lambda name: not is_called_unhealthy(words, name))[:MAX_CAPABILITIES]
    row.capability_health = {name: words[name] for name in kept}


def _uptime_seconds(uptime: Any) -> int | None:
    is_number = isinstance(uptime, int | float) and not isinstance(uptime, bool)
    return int(uptime) if is_number and 0 <= uptime < 2**53 else None
