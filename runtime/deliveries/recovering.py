"""Sending many deliveries once more: what failed since a moment, or all that was posted since then.

It runs in batches, each a statement of its own, so that a hundred thousand rows hold nobody up, and a call that
breaks off can be made again. What is resent is spread at half the endpoint's rate limit, so that what is fresh need
not wait behind it.
"""

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from aiffinity.lib.audit import append_audit
from aiffinity.lib.wakeups import wake_on_commit
from runtime.deliveries.resending import require_open
from runtime.models import Delivery, WebhookEndpoint

BATCH_SIZE = 5000

# A delivery that failed anew meanwhile is past `until`, so that the batches come to an end.
_FAILED = """
SELECT d.id FROM runtime_delivery d
WHERE d.endpoint_id = %(endpoint)s AND d.status = 'failed' AND d.finished_at BETWEEN %(since)s AND %(until)s
ORDER BY d.finished_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
"""
_POSTED = """
SELECT d.id FROM runtime_delivery d
WHERE d.endpoint_id = %(endpoint)s AND d.created_at >= %(since)s
  AND d.status = ANY (%(statuses)s) AND d.finished_at <= %(until)s
  AND (%(type)s = '' OR EXISTS (SELECT 1 FROM runtime_event v WHERE v.id = d.event_id AND v.type = %(type)s))
ORDER BY d.created_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
"""
# Two seconds of time for each second's worth of deliveries.
_RESEND = """
WITH chosen AS MATERIALIZED ({chosen}),
placed AS (SELECT id, %(done)s + row_number() OVER () - 1 AS place FROM chosen)
UPDATE runtime_delivery d
SET status = 'pending', fence = d.fence + 1, lease_until = NULL, finished_at = NULL, series_started_at = NULL,
    attempts_before_series = d.attempts_made,
    next_attempt_at = %(until)s + (placed.place / %(rate)s) * interval '2 seconds'
FROM placed WHERE d.id = placed.id
"""


def recover_deliveries(endpoint: WebhookEndpoint, *, since: datetime, actor: str, reason: str = "") -> int:
    """Resend every delivery that failed at this time or later, and return how many there are.

    Raises InvalidState where the endpoint is disabled or has no URL.
    """
    require_open(endpoint)
    said = {"since": since.isoformat()}
    with transaction.atomic():
        append_audit(subject=endpoint.pk, action="webhook.recovered", actor=actor, reason=reason, data=said)
    return _resend(endpoint, _FAILED, since=since)


def replay_since(
    endpoint: WebhookEndpoint,
    *,
    since: datetime,
    actor: str,
    event_type: str = "",
    is_failed_only: bool = False,
) -> int:
    """Resend every delivery of events posted at this time or later, delivered ones too, and return how many.

    What is still pending goes its own way. Raises InvalidState where the endpoint is disabled or has no URL.
    """
    require_open(endpoint)
    statuses = _statuses(is_failed_only=is_failed_only)
    said = {"since": since.isoformat(), "event": event_type, "statuses": statuses}
    with transaction.atomic():
        append_audit(subject=endpoint.pk, action="webhook.replayed", actor=actor, data=said)
    return _resend(endpoint, _POSTED, since=since, statuses=statuses, type=event_type)


def count_replayable(
    endpoint: WebhookEndpoint, *, since: datetime, event_type: str = "", is_failed_only: bool = False
) -> int:
    """Return how many deliveries `replay_since` would resend."""
    statuses = _statuses(is_failed_only=is_failed_only)
    deliveries = Delivery.objects.filter(endpoint=endpoint, created_at__gte=since, status__in=statuses)
    return (deliveries.filter(event__type=event_type) if event_type else deliveries).count()


def _statuses(*, is_failed_only: bool) -> list[str]:
    return ["failed"] if is_failed_only else ["failed", "delivered"]


def _resend(endpoint: WebhookEndpoint, chosen: str, **conditions: Any) -> int:
    """Resend batch by batch; the audit row comes first, as a call that breaks off has resent something too."""
    parameters = {
        "endpoint": endpoint.pk,
        "until": timezone.now(),
        "rate": endpoint.rate_limit_per_second,
        "batch": BATCH_SIZE,
        **conditions,
    }
    done = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_RESEND.format(chosen=chosen), {**parameters, "done": done})
            resent: int = cursor.rowcount
            wake_on_commit("runtime.tasks.deliver_due_webhooks")
        done += resent
        if resent < BATCH_SIZE:
            return done
