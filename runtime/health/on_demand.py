"""Checking one app now: for a validation, for a provider who looks, or for ops."""

from aiffinity.lib.errors import InvalidState
from aiffinity.lib.outbound import OutboundError
from runtime.health.claims import CheckClaim, claim_check
from runtime.health.looking import Sighting, health_request, read_sighting
from runtime.health.recording import STATE_FIELDS, Seen, record_checks
from runtime.models import HealthCheck, RuntimeApp
from runtime.provider_client import send_outside_database


def check_health(runtime_app: RuntimeApp) -> HealthCheck:
    """Check an app once, record what was seen and return it; `runtime_app` is refreshed.

    A check that another one overtook, or during which this process stood still, is returned, and neither kept nor
    counted. Raises InvalidState for an app without a health URL. No database transaction may be open.
    """
    claim = claim_check(runtime_app.pk, is_forced=True)
    if claim is None:
        raise InvalidState("health_check_url: this app has none; set it with PATCH.")
    return _check(runtime_app, claim)


def check_health_if_due(runtime_app: RuntimeApp) -> None:
    """Check an app unless it was checked in the last 60 seconds or is being checked now."""
    claim = claim_check(runtime_app.pk, is_forced=False)
    if claim is not None:
        _check(runtime_app, claim)


def _check(runtime_app: RuntimeApp, claim: CheckClaim) -> HealthCheck:
    sighting = _look(claim.url)
    seen = [] if sighting.may_be_our_fault else [Seen(claim, sighting)]
    kept, _ = record_checks(seen, waits_for_locks=True)
    runtime_app.refresh_from_db(fields=STATE_FIELDS)
    return kept[0] if kept else _unsaved(runtime_app, sighting)


def _look(url: str) -> Sighting:
    try:
        return read_sighting(send_outside_database(health_request(url)))
    except OutboundError as failure:
        return read_sighting(failure)


def _unsaved(runtime_app: RuntimeApp, sighting: Sighting) -> HealthCheck:
    return HealthCheck(
        runtime_app=runtime_app,
        is_healthy=sighting.is_healthy,
        status_code=sighting.status_code,
        latency_ms=sighting.latency_ms,
        error=sighting.error,
    )
