"""Health of runtime apps: one check, what it changes, and whom it tells (spec 4 "Health")."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from aiffinity.lib.errors import InvalidJson, InvalidState
from aiffinity.lib.json_gate import parse_json
from aiffinity.lib.outbound import OutboundError, OutboundRequest, OutboundResponse
from runtime.events import post_event
from runtime.models import HealthCheck, HealthStatus, RuntimeApp
from runtime.provider_client import send_outside_database

TIMEOUT_MS = 5000
MAX_BODY_BYTES = 65_536
STRIKES = 3
FRESH_FOR = timedelta(seconds=60)
LEASE = timedelta(seconds=15)
KEPT_FOR = timedelta(hours=24)
EVENTS_AT_FIRST = 10
EVENTS_EVERY = timedelta(hours=1)
REASON = "health_check_timeout"
MAX_CAPABILITIES = 200


@dataclass(frozen=True)
class Sighting:
    """What one look at a health URL showed; `error` is empty where all is well."""

    latency_ms: int
    status_code: int | None = None
    error: str = ""
    body: dict[str, Any] | None = None

    @property
    def is_healthy(self) -> bool:
        """Say whether the provider is well."""
        return not self.error


def check_health(runtime_app: RuntimeApp) -> HealthCheck:
    """Check an app once, record what was seen and return it; `runtime_app` is refreshed.

    Three failures in a row make the app degraded, the first success restores it, and the provider is told of
    either. Raises InvalidState for an app without a health URL. No database transaction may be open.
    """
    if not runtime_app.health_check_url:
        raise InvalidState("health_check_url: this app has none; set it with PATCH.")
    RuntimeApp.objects.filter(pk=runtime_app.pk).update(
        health_fence=F("health_fence") + 1, health_lease_until=timezone.now() + LEASE
    )
    runtime_app.refresh_from_db(fields=["health_fence"])
    return _record(runtime_app, _look(runtime_app.health_check_url))


def check_health_if_due(runtime_app: RuntimeApp) -> None:
    """Check an app unless it was checked in the last 60 seconds or is being checked now."""
    now = timezone.now()
    is_due = Q(health_checked_at=None) | Q(health_checked_at__lt=now - FRESH_FOR)
    is_free = Q(health_lease_until=None) | Q(health_lease_until__lt=now)
    claimed = (
        RuntimeApp.objects.exclude(health_check_url="")
        .filter(is_due, is_free, pk=runtime_app.pk)
        .update(health_lease_until=now + LEASE)
    )
    if claimed:
        check_health(runtime_app)


def recent_checks(runtime_app: RuntimeApp) -> QuerySet[HealthCheck]:
    """Return the checks of the last 24 hours, newest first."""
    since = timezone.now() - KEPT_FOR
    checks = HealthCheck.objects.filter(runtime_app=runtime_app, checked_at__gte=since)
    return checks.order_by("-checked_at", "-pk")


def uptime_percent(runtime_app: RuntimeApp) -> float | None:
    """Return how many of the checks of 24 hours succeeded, in percent; None without a check."""
    counts = recent_checks(runtime_app).aggregate(total=Count("pk"), good=Count("pk", filter=Q(is_healthy=True)))
    return round(100 * counts["good"] / counts["total"], 2) if counts["total"] else None


def _look(url: str) -> Sighting:
    request = OutboundRequest(
        method="GET",
        url=url,
        headers=(("Accept", "application/json"),),
        timeout_ms=TIMEOUT_MS,
        max_response_bytes=MAX_BODY_BYTES,
    )
    try:
        response = send_outside_database(request)
    except OutboundError as failure:
        return Sighting(round(failure.elapsed_ms), error=failure.message[:200])
    return _read(response)


def _read(response: OutboundResponse) -> Sighting:
    latency_ms = round(response.elapsed_ms)
    if response.status != 200:
        return Sighting(latency_ms, response.status, f"The answer was HTTP {response.status}, not 200.")
    try:
        body = parse_json(response.body)
    except InvalidJson:
        body = None
    if not isinstance(body, dict):
        return Sighting(latency_ms, 200, "The answer is not a JSON object.")
    if body.get("status") != "ok":
        return Sighting(latency_ms, 200, "The answer's status is not 'ok'.", body)
    return Sighting(latency_ms, 200, body=body)


def _record(runtime_app: RuntimeApp, seen: Sighting) -> HealthCheck:
    with transaction.atomic():
        locked = RuntimeApp.objects.get_locked(runtime_app.pk)
        check = HealthCheck.objects.create(
            runtime_app=locked,
            is_healthy=seen.is_healthy,
            status_code=seen.status_code,
            latency_ms=seen.latency_ms,
            error=seen.error,
        )
        HealthCheck.objects.filter(runtime_app=locked, checked_at__lt=timezone.now() - KEPT_FOR).delete()
        # A newer check, or one of another address, has the word on what the app's state is.
        is_newest = locked.health_fence == runtime_app.health_fence
        if is_newest and locked.health_check_url == runtime_app.health_check_url:
            _apply(locked, seen)
            locked.save(update_fields=_STATE_FIELDS)
    runtime_app.refresh_from_db(fields=_STATE_FIELDS)
    return check


def _apply(runtime_app: RuntimeApp, seen: Sighting) -> None:
    runtime_app.health_checked_at, runtime_app.health_lease_until = timezone.now(), None
    if seen.body is not None:
        _take_over(runtime_app, seen.body)
    if seen.is_healthy:
        _succeed(runtime_app)
    else:
        _fail(runtime_app, seen)


def _succeed(runtime_app: RuntimeApp) -> None:
    was_degraded = runtime_app.health_status == HealthStatus.DEGRADED
    runtime_app.health_status = HealthStatus.HEALTHY
    runtime_app.consecutive_failures, runtime_app.health_failure_posted_at = 0, None
    if was_degraded:
        post_event(runtime_app.pk, "app.recovered", {"consecutive_failures": 0})


def _fail(runtime_app: RuntimeApp, seen: Sighting) -> None:
    runtime_app.consecutive_failures += 1
    told = {"reason": REASON, "consecutive_failures": runtime_app.consecutive_failures}
    if _is_told(runtime_app):
        runtime_app.health_failure_posted_at = timezone.now()
        post_event(runtime_app.pk, "capability.failed", {**told, "status": "error", "latency_ms": seen.latency_ms})
    if runtime_app.consecutive_failures >= STRIKES and runtime_app.health_status != HealthStatus.DEGRADED:
        runtime_app.health_status = HealthStatus.DEGRADED
        post_event(runtime_app.pk, "app.degraded", told)


def _is_told(runtime_app: RuntimeApp) -> bool:
    """Say whether a failed check posts an event: the first ten of a row, then one an hour."""
    posted_at = runtime_app.health_failure_posted_at
    is_early = runtime_app.consecutive_failures <= EVENTS_AT_FIRST
    return is_early or posted_at is None or posted_at <= timezone.now() - EVENTS_EVERY


def _take_over(runtime_app: RuntimeApp, body: dict[str, Any]) -> None:
    """Keep what a health body says of itself, as far as it is well-formed."""
    version, uptime, capabilities = body.get("version"), body.get("uptime_seconds"), body.get("capabilities")
    runtime_app.provider_version = version[:80] if isinstance(version, str) else ""
    runtime_app.uptime_seconds = _uptime_seconds(uptime)
    named = capabilities.items() if isinstance(capabilities, dict) else ()
    runtime_app.capability_health = {
        name[:64]: state[:40] for name, state in list(named)[:MAX_CAPABILITIES] if isinstance(state, str)
    }


def _uptime_seconds(uptime: Any) -> int | None:
    is_number = isinstance(uptime, int | float) and not isinstance(uptime, bool)
    return int(uptime) if is_number and 0 <= uptime < 2**53 else None


_STATE_FIELDS = [
    "health_checked_at",
    "health_lease_until",
    "health_status",
    "health_failure_posted_at",
    "consecutive_failures",
    "capability_health",
    "provider_version",
    "uptime_seconds",
]
