"""Carrying recoveries out: batch by batch, each one statement and so a transaction of its own.

A batch locks its recovery with SKIP LOCKED, walks on from where the one before ended, makes what it finds pending and
notes how far it came, all or nothing. So there is no lease to run out: a worker that is killed has done a batch or
it hasn't, one that is stopped holds no lock once the statement is over, and whoever looks next goes on. Recoveries
take turns, batch by batch.

A batch looks at no more than its size, however many of them it leaves as they are, and never at what was walked through
before. It locks deliveries in the order of their ids, so that two recoveries of one endpoint can't wait for each other,
and asks under the lock whether they are still to be sent: what was replayed or purged meanwhile is left as it is. What
was sent again and failed anew is past `until`, so that the walk comes to an end.

What is sent again is spread at half the endpoint's rate limit, so that what is fresh need not wait behind it. Where the
endpoint gets nothing any more, its recoveries are stopped, and what they did not come to stays as it is.
"""

import threading
import time
from typing import Any

from django.db import connection
from django.db.models import F
from django.utils import timezone

from aiffinity.lib.wakeups import wake_on_commit
from runtime.deliveries.recovering import chosen_deliveries
from runtime.deliveries.targets import APP_DELETED, ENDPOINT_DISABLED, NO_URL
from runtime.models import Recovery, RecoveryStatus

BATCH_SIZE = 1000
# A worker that is told to stop ends its spell first.
SPELL_SECONDS = 5.0

_is_at_it = threading.Lock()

_RECOVERY = """
recovery AS MATERIALIZED (
    SELECT r.id, r.endpoint_id, r.kind, r.event_type, r.since, r.until, r.resent_count, r.created_at,
           coalesce(r.position_at, '-infinity') AS position_at, e.rate_limit_per_second AS rate,
           CASE WHEN a.deleted_at IS NOT NULL THEN %(app_deleted)s
                WHEN e.disabled_at IS NOT NULL THEN %(endpoint_disabled)s
                WHEN a.webhook_url = '' THEN %(no_url)s ELSE '' END AS closed
    FROM runtime_recovery r JOIN runtime_webhookendpoint e ON e.runtime_app_id = r.endpoint_id
    JOIN providers_app a ON a.id = r.endpoint_id
    WHERE r.status = 'running'
    ORDER BY r.updated_at LIMIT 1 FOR NO KEY UPDATE OF r SKIP LOCKED
)
"""
# In the order of an index, so that the planner has nothing to sort. A batch takes all of its last moment, which makes a
# moment enough to say where the next one begins.
_WALKED = """
walked AS MATERIALIZED (
    SELECT step.id, step.moment FROM recovery r CROSS JOIN LATERAL (
        (SELECT d.id, d.finished_at AS moment FROM runtime_delivery d
         WHERE r.kind = 'failed' AND r.closed = '' AND d.endpoint_id = r.endpoint_id AND d.status = 'failed'
           AND d.finished_at >= r.since AND d.finished_at > r.position_at AND d.finished_at <= r.until
         ORDER BY d.finished_at FETCH FIRST %(batch)s ROWS WITH TIES)
        UNION ALL
        (SELECT d.id, d.created_at FROM runtime_delivery d
         WHERE r.kind <> 'failed' AND r.closed = '' AND d.endpoint_id = r.endpoint_id
           AND d.created_at >= r.since AND d.created_at > r.position_at AND d.created_at <= r.until
         ORDER BY d.created_at FETCH FIRST %(batch)s ROWS WITH TIES)
    ) step
)
"""
_LOCKED = """
locked AS MATERIALIZED (
    SELECT d.id FROM runtime_delivery d CROSS JOIN recovery r
    WHERE d.id = ANY (ARRAY(SELECT id FROM walked))
      AND CASE WHEN d.status <> 'pending' THEN d.finished_at <= r.until END
      AND (d.status = 'failed' OR r.kind = 'posted')
      AND (r.event_type = ''
           OR EXISTS (SELECT 1 FROM runtime_event v WHERE v.id = d.event_id AND v.type = r.event_type))
    ORDER BY d.id FOR NO KEY UPDATE OF d
)
"""
# Two seconds of time for each second's worth of deliveries.
_CARRY_ON = f"""
WITH {_RECOVERY}, {_WALKED}, {_LOCKED},
placed AS MATERIALIZED (
    SELECT l.id, row_number() OVER (ORDER BY w.moment, w.id) - 1 AS place FROM locked l JOIN walked w ON w.id = l.id
),
resent AS (
    UPDATE runtime_delivery d
    SET status = 'pending', fence = d.fence + 1, lease_until = NULL, finished_at = NULL, series_started_at = NULL,
        attempts_before_series = d.attempts_made,
        next_attempt_at = r.created_at + ((r.resent_count + placed.place) / r.rate) * interval '2 seconds'
    FROM placed CROSS JOIN recovery r WHERE d.id = placed.id
    RETURNING 1
),
done AS (
    SELECT r.id, r.closed, w.position_at, w.size < %(batch)s AS is_last, (SELECT count(*) FROM resent) AS resent
    FROM recovery r CROSS JOIN (SELECT count(*) AS size, max(moment) AS position_at FROM walked) w
)
UPDATE runtime_recovery r
SET resent_count = r.resent_count + done.resent,
    count = CASE WHEN done.closed = '' AND done.is_last THEN r.resent_count + done.resent ELSE r.count END,
    position_at = coalesce(done.position_at, r.position_at),
    status = CASE WHEN done.closed <> '' THEN 'stopped' WHEN done.is_last THEN 'finished' ELSE 'running' END,
    stop_reason = done.closed,
    updated_at = %(now)s,
    finished_at = CASE WHEN done.closed <> '' OR done.is_last THEN %(now)s::timestamptz END
FROM done WHERE r.id = done.id
RETURNING done.resent
"""  # noqa: S608 - Made of constants.


def carry_out_recoveries(*, spell_seconds: float = SPELL_SECONDS) -> bool:
    """Send again what recoveries ask for, until there is none or the spell is over; returns whether it left some.

    It rests after each batch for as long as that took: half of the database's time is enough, as endpoints take what is
    sent again more slowly. Does nothing where this process is at it already.
    """
    if not _is_at_it.acquire(blocking=False):
        return False
    try:
        return _carry_out(ends_at=time.monotonic() + spell_seconds)
    finally:
        _is_at_it.release()


def _carry_out(*, ends_at: float) -> bool:
    _count_many()
    began_at = time.monotonic()
    while send_batch_again():
        ended_at = time.monotonic()
        if ended_at >= ends_at:
            return True
        time.sleep(ended_at - began_at)
        began_at = time.monotonic()
    return False


def send_batch_again() -> bool:
    """Do the next batch of the recovery whose turn it is; False where none is running that nobody is at."""
    with connection.cursor() as cursor:
        cursor.execute(_CARRY_ON, _parameters())
        row = cursor.fetchone()
    if row is not None and row[0]:
        wake_on_commit("runtime.tasks.deliver_due_webhooks")
    return row is not None


def _count_many() -> None:
    """Count what was too much to count for whoever asked for it."""
    for recovery in Recovery.objects.filter(status=RecoveryStatus.RUNNING, count=None):
        left = chosen_deliveries(
            recovery.endpoint_id,
            recovery.kind,
            since=recovery.since,
            until=recovery.until,
            event_type=recovery.event_type,
        ).count()
        running = Recovery.objects.filter(pk=recovery.pk, status=RecoveryStatus.RUNNING, count=None)
        running.update(count=F("resent_count") + left)


def _parameters() -> dict[str, Any]:
    return {
        "batch": BATCH_SIZE,
        "now": timezone.now(),
        "app_deleted": APP_DELETED,
        "endpoint_disabled": ENDPOINT_DISABLED,
        "no_url": NO_URL,
    }
