"""What attempts say of their endpoint: failing since when, left alone, warned of, or disabled (spec 4).

An endpoint without a success for three days is disabled, and its people hear of it at 50 % and 75 % of that time
and at its end. The time runs from the first failed attempt to the newest: where nothing is tried nothing is held
against an endpoint, and what was sent before its profile was put says nothing of the new one. All of it is decided
under the lock of the endpoint's row, so that two workers tell it once.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection

from runtime.deliveries.breakers import OPEN_FOR, has_tripped, is_down, note_outcome
from runtime.deliveries.disabling import tell_disabled, tell_failing
from runtime.deliveries.outcomes import Result
from runtime.models import DeliveryStatus, WebhookEndpoint

PATIENCE = timedelta(days=3)
WARNINGS_PERCENT = (50, 75)
SUCCESS_NOTED_EVERY = timedelta(minutes=1)
GONE = "gone"
FAILING = "failing"
_FIELDS = (
    "last_success_at",
    "failing_since",
    "warned_percent",
    "recent_outcomes",
    "breaker_open_until",
    "disabled_at",
    "disabled_reason",
)
# As text: it runs with every batch, and took the ORM longer to write than PostgreSQL to answer.
_LOCK_CONCERNED = """
SELECT runtime_app_id FROM runtime_webhookendpoint
WHERE runtime_app_id = ANY (%s)
   OR runtime_app_id = ANY (%s) AND (last_success_at IS NULL OR last_success_at < %s OR failing_since IS NOT NULL
                                     OR breaker_open_until IS NOT NULL OR recent_outcomes <> '[]')
ORDER BY runtime_app_id FOR NO KEY UPDATE
"""


def update_standing(results: Sequence[Result], now: datetime) -> list[Result]:
    """Take attempts over into their endpoints' rows, inside the caller's transaction.

    One query where all is as it was, three where something changed; then who has to be told is told. Returns the
    answers 410 that say nothing of the endpoint of now.
    """
    by_endpoint: dict[str, list[Result]] = {}
    for result in results:
        # A secret of ours that doesn't open is no fault of theirs.
        if result.attempt is not None and not result.claim.target.fault:
            by_endpoint.setdefault(result.claim.target.endpoint_id, []).append(result)
    changed = list(_lock_concerned(by_endpoint, now)) if by_endpoint else []
    if not changed:
        return []
    warned, disabled, outdated = [], [], []
    for endpoint in changed:
        was_warned, was_disabled = endpoint.warned_percent, endpoint.disabled_at is not None
        current = [result for result in by_endpoint[endpoint.pk] if _is_of(endpoint, result)]
        outdated += [result for result in by_endpoint[endpoint.pk] if result.is_gone and not _is_of(endpoint, result)]
        _apply(endpoint, current, now)
        if endpoint.disabled_at is not None and not was_disabled:
            disabled.append(endpoint.pk)
        elif endpoint.warned_percent > was_warned:
            warned.append(endpoint.pk)
    WebhookEndpoint.objects.bulk_update(changed, _FIELDS)
    tell_failing(warned, patience=PATIENCE)
    tell_disabled(disabled)
    return outdated


def _lock_concerned(by_endpoint: dict[str, list[Result]], now: datetime) -> Iterable[WebhookEndpoint]:
    """Lock the endpoints with a failure, and those whose success is news."""
    well = [endpoint_id for endpoint_id, results in by_endpoint.items() if all(map(_is_success, results))]
    failed = list(by_endpoint.keys() - set(well))
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_CONCERNED, [failed, well, now - SUCCESS_NOTED_EVERY])
        concerned = [endpoint_id for (endpoint_id,) in cursor.fetchall()]
    return WebhookEndpoint.objects.filter(pk__in=concerned).select_related("runtime_app__app") if concerned else ()


def _is_of(endpoint: WebhookEndpoint, result: Result) -> bool:
    """Say whether an attempt went to the address of now and began after the profile was put or enabled last.

    None did where the app was deleted meanwhile.
    """
    is_since = result.attempt is not None and result.attempt.attempted_at >= endpoint.updated_at
    app = endpoint.runtime_app.app
    return is_since and app.deleted_at is None and result.claim.target.url == app.webhook_url


def _apply(endpoint: WebhookEndpoint, results: list[Result], now: datetime) -> None:
    if not results:
        return
    for result in results:
        _count(endpoint, result, now)
    if any(map(_is_success, results)):
        endpoint.last_success_at, endpoint.failing_since, endpoint.warned_percent = now, None, 0
    else:
        endpoint.failing_since = endpoint.failing_since or now
    if endpoint.disabled_at is None:
        _judge(endpoint, now, is_gone=any(result.is_gone for result in results))


def _judge(endpoint: WebhookEndpoint, now: datetime, *, is_gone: bool) -> None:
    failing_for = now - endpoint.failing_since if endpoint.failing_since else timedelta(0)
    if is_gone or failing_for >= PATIENCE:
        endpoint.disabled_at, endpoint.disabled_reason = now, GONE if is_gone else FAILING
        return
    reached = [percent for percent in WARNINGS_PERCENT if failing_for >= PATIENCE * percent / 100]
    endpoint.warned_percent = max(endpoint.warned_percent, *reached, 0)


def _count(endpoint: WebhookEndpoint, result: Result, now: datetime) -> None:
    """Count one attempt for the breaker; while it is open, only an answer that closes it counts."""
    is_failure = result.attempt is not None and is_down(result.attempt.status_code)
    is_open = endpoint.breaker_open_until is not None
    if is_open and is_failure:
        return
    recent = [] if is_open else endpoint.recent_outcomes
    endpoint.recent_outcomes = note_outcome(recent, result.claim.delivery_id, is_failure=is_failure)
    endpoint.breaker_open_until = now + OPEN_FOR if has_tripped(endpoint.recent_outcomes) else None


def _is_success(result: Result) -> bool:
    return result.status == DeliveryStatus.DELIVERED
