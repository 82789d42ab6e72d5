"""What health checks saw in the last 24 hours, and the end of what is older."""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from runtime.models import HealthCheck, RuntimeApp

KEPT_FOR = timedelta(hours=24)
PURGE_BATCH = 5_000

# Keys grow with time, so the oldest rows stand first, and a batch without an old one ends the walk: this needs no
# index on the time, which fourteen million rows a day would have to keep up.
_PURGE = """
WITH first AS MATERIALIZED (
    SELECT id, checked_at FROM runtime_healthcheck WHERE id > %(after)s ORDER BY id LIMIT %(batch)s
),
old AS MATERIALIZED (
    SELECT id FROM runtime_healthcheck
    WHERE id = ANY (ARRAY(SELECT id FROM first WHERE checked_at < %(cutoff)s)) FOR UPDATE SKIP LOCKED
),
gone AS (
    DELETE FROM runtime_healthcheck h USING old WHERE h.id = old.id RETURNING 1
)
SELECT (SELECT count(*) FROM gone), (SELECT max(id) FROM first)
"""


def recent_checks(runtime_app: RuntimeApp) -> QuerySet[HealthCheck]:
    """Return the checks of the last 24 hours, newest first."""
    since = timezone.now() - KEPT_FOR
    checks = HealthCheck.objects.filter(runtime_app=runtime_app, checked_at__gte=since)
    return checks.order_by("-checked_at", "-pk")


def uptime_percent(runtime_app: RuntimeApp) -> float | None:
    """Return how many of the checks of 24 hours succeeded, in percent; None without a check."""
    since = timezone.now() - KEPT_FOR
    checks = HealthCheck.objects.filter(runtime_app=runtime_app, checked_at__gte=since)
    counts = checks.aggregate(total=Count("checked_at"), good=Count("checked_at", filter=Q(is_healthy=True)))
    return round(100 * counts["good"] / counts["total"], 2) if counts["total"] else None


def purge_health_checks(now: datetime) -> int:
    """Delete the checks older than 24 hours in small batches and return how many there were."""
    deleted: int = 0
    last: int | None = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_PURGE, {"after": last, "batch": PURGE_BATCH, "cutoff": now - KEPT_FOR})
            count, last = cursor.fetchone()
        deleted += int(count)
        if not count:
            return deleted
