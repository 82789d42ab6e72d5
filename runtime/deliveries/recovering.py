"""Asking for many deliveries once more: what failed since a moment, or all that was posted since then.

Who asks is answered at once. The wish stands on a row of its own, written with its audit entry; workers carry it out
(`recovery_batches`), woken by a message or found by the sweep.
"""

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from aiffinity.lib.audit import append_audit
from aiffinity.lib.ids import new_id
from aiffinity.lib.wakeups import wake_on_commit
from runtime.deliveries.resending import require_open
from runtime.models import Delivery, DeliveryStatus, Recovery, RecoveryKind, WebhookEndpoint

TASK = "runtime.tasks.carry_out_recoveries"
# More are counted by a worker: nobody waits for the count of millions.
COUNTED_AT_ONCE = 10_000

# The same wish, while it is being carried out, goes on to what failed meanwhile. A batch that commits just now is
# counted twice; the end corrects it.
_ASK = """
INSERT INTO runtime_recovery
    (id, endpoint_id, kind, event_type, since, until, count, resent_count, status, stop_reason, requested_by,
     created_at, updated_at)
VALUES (%(id)s, %(endpoint)s, %(kind)s, %(event_type)s, %(since)s, %(now)s, %(count)s, 0, 'running', '', %(actor)s,
        %(now)s, %(now)s)
ON CONFLICT (endpoint_id, kind, event_type, since) WHERE status = 'running'
DO UPDATE SET until = greatest(runtime_recovery.until, excluded.until),
              count = runtime_recovery.resent_count + excluded.count
RETURNING id
"""


def recover_deliveries(endpoint: WebhookEndpoint, *, since: datetime, actor: str, reason: str = "") -> Recovery:
    """Have every delivery that failed at this time or later sent again, and return the recovery that does it.

    The one that is under way where it was asked for already. Raises InvalidState where the endpoint is disabled or
    has no URL.
    """
    require_open(endpoint)
    with transaction.atomic():
        recovery = _ask(endpoint, RecoveryKind.FAILED, since=since, actor=actor)
        said = {"recovery_id": recovery.pk, "since": since.isoformat()}
        append_audit(subject=endpoint.pk, action="webhook.recovered", actor=actor, reason=reason, data=said)
    return recovery


def replay_since(
    endpoint: WebhookEndpoint,
    *,
    since: datetime,
    actor: str,
    event_type: str = "",
    is_failed_only: bool = False,
) -> Recovery:
    """Have every delivery of events posted at this time or later sent again, delivered ones too; see above.

    What is still pending goes its own way. Raises InvalidState where the endpoint is disabled or has no URL.
    """
    require_open(endpoint)
    kind = _kind_of_replay(is_failed_only=is_failed_only)
    with transaction.atomic():
        recovery = _ask(endpoint, kind, since=since, actor=actor, event_type=event_type)
        said = {"recovery_id": recovery.pk, "since": since.isoformat(), "event": event_type, "kind": str(kind)}
        append_audit(subject=endpoint.pk, action="webhook.replayed", actor=actor, data=said)
    return recovery


def count_replayable(
    endpoint: WebhookEndpoint, *, since: datetime, event_type: str = "", is_failed_only: bool = False
) -> int:
    """Return how many deliveries `replay_since` would have sent again."""
    kind = _kind_of_replay(is_failed_only=is_failed_only)
    return chosen_deliveries(endpoint.pk, kind, since=since, until=timezone.now(), event_type=event_type).count()


def chosen_deliveries(
    endpoint_id: str, kind: str, *, since: datetime, until: datetime, event_type: str = ""
) -> QuerySet[Delivery]:
    """Return the deliveries that a recovery of this kind sends again, as they stand now."""
    over = Delivery.objects.filter(endpoint=endpoint_id, finished_at__lte=until)
    if kind == RecoveryKind.FAILED:
        return over.filter(status=DeliveryStatus.FAILED, finished_at__gte=since)
    is_failed_only = kind == RecoveryKind.POSTED_AND_FAILED
    statuses = [DeliveryStatus.FAILED] if is_failed_only else [DeliveryStatus.FAILED, DeliveryStatus.DELIVERED]
    posted = over.filter(status__in=statuses, created_at__gte=since, created_at__lte=until)
    return posted.filter(event__type=event_type) if event_type else posted


def _kind_of_replay(*, is_failed_only: bool) -> RecoveryKind:
    return RecoveryKind.POSTED_AND_FAILED if is_failed_only else RecoveryKind.POSTED


def _ask(
    endpoint: WebhookEndpoint, kind: RecoveryKind, *, since: datetime, actor: str, event_type: str = ""
) -> Recovery:
    """Write the wish down, or find the same one that is being carried out, and wake a worker."""
    now = timezone.now()
    chosen = chosen_deliveries(endpoint.pk, kind, since=since, until=now, event_type=event_type)
    count = chosen[: COUNTED_AT_ONCE + 1].count()
    values: dict[str, Any] = {
        "id": new_id("rcv"),
        "endpoint": endpoint.pk,
        "kind": kind,
        "event_type": event_type,
        "since": since,
        "now": now,
        "count": count if count <= COUNTED_AT_ONCE else None,
        "actor": actor,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ASK, values)
        recovery_id: str = cursor.fetchone()[0]
    wake_on_commit(TASK)
    return Recovery.objects.get(pk=recovery_id)
