"""Forgetting deliveries, their attempts, events and recoveries after 30 days (spec 4 "Events and webhooks").

What is pending is never touched, nor the event of a delivery that is kept. A delivery that was replayed counts from
its last end; attempts of it that are older go alone.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from aiffinity.lib.retention import delete_in_batches
from runtime.models import Recovery

KEPT_FOR = timedelta(days=30)
BATCH_SIZE = 1000

# The endpoints' indexes by time find what is old; whatever somebody holds is left to the next time.
_DELIVERIES = """
WITH old AS MATERIALIZED (
    SELECT d.id FROM runtime_webhookendpoint e CROSS JOIN LATERAL (
        SELECT id FROM runtime_delivery
        WHERE endpoint_id = e.runtime_app_id AND created_at < %(cutoff)s
          AND status <> 'pending' AND finished_at < %(cutoff)s
        ORDER BY created_at LIMIT %(batch)s
    ) d LIMIT %(batch)s
),
locked AS MATERIALIZED (
    SELECT d.id FROM runtime_delivery d
    WHERE d.id = ANY (ARRAY(SELECT id FROM old)) AND d.status <> 'pending' AND d.finished_at < %(cutoff)s
    FOR UPDATE SKIP LOCKED
),
attempts AS (
    DELETE FROM runtime_deliveryattempt a USING locked WHERE a.delivery_id = locked.id
),
deliveries AS (
    DELETE FROM runtime_delivery d USING locked WHERE d.id = locked.id RETURNING 1
)
SELECT count(*) FROM deliveries
"""
_ATTEMPTS = """
WITH old AS MATERIALIZED (
    SELECT a.id FROM runtime_webhookendpoint e CROSS JOIN LATERAL (
        SELECT a.id FROM runtime_delivery d JOIN runtime_deliveryattempt a ON a.delivery_id = d.id
        WHERE d.endpoint_id = e.runtime_app_id AND d.created_at < %(cutoff)s AND d.status <> 'pending'
          AND a.attempted_at < %(cutoff)s
        LIMIT %(batch)s
    ) a LIMIT %(batch)s
)
DELETE FROM runtime_deliveryattempt a USING old WHERE a.id = old.id
"""
_EVENTS = """
WITH old AS MATERIALIZED (
    SELECT v.id FROM providers_app p CROSS JOIN LATERAL (
        SELECT id FROM runtime_event v
        WHERE v.app_id = p.id AND v.created_at < %(cutoff)s
          AND NOT EXISTS (SELECT 1 FROM runtime_delivery d WHERE d.event_id = v.id)
        ORDER BY v.created_at LIMIT %(batch)s
    ) v LIMIT %(batch)s
)
DELETE FROM runtime_event v USING old WHERE v.id = old.id
"""


def purge_deliveries(now: datetime) -> int:
    """Delete the deliveries that ended more than 30 days ago with their attempts; returns how many there were."""
    deleted = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_DELIVERIES, _parameters(now))
            count: int = cursor.fetchone()[0]
        deleted += count
        if not count:
            return deleted


def purge_attempts(now: datetime) -> int:
    """Delete the attempts of before 30 days whose delivery was replayed since; returns how many there were."""
    return _delete_all(_ATTEMPTS, now)


def purge_events(now: datetime) -> int:
    """Delete the events of before 30 days that no delivery needs any more; returns how many there were."""
    return _delete_all(_EVENTS, now)


def purge_recoveries(now: datetime) -> int:
    """Delete the recoveries that ended more than 30 days ago; returns how many there were."""
    return delete_in_batches(Recovery.objects.filter(finished_at__lt=now - KEPT_FOR))


def _delete_all(statement: str, now: datetime) -> int:
    deleted = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, _parameters(now))
            count: int = cursor.rowcount
        deleted += count
        if not count:
            return deleted


def _parameters(now: datetime) -> dict[str, Any]:
    return {"cutoff": now - KEPT_FOR, "batch": BATCH_SIZE}
