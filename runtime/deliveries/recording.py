"""Writing results down: many at once, each only under its claim's fence (spec 6 "leases and fencing")."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from runtime.deliveries.disabling import tell_disabled
from runtime.deliveries.outcomes import Result
from runtime.models import DeliveryStatus

# Why an endpoint gets nothing any more: it answered 410, or nothing went well for three days.
_DISABLING: dict[str, str | int] = {"gone_reason": "gone", "failing_reason": "failing", "patience_days": 3}

_RECORD = """
WITH result AS (
    SELECT * FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[],
                         %s::int[], %s::bigint[], %s::text[], %s::text[])
    AS r(id, fence, status, next_attempt_at, attempted_at, status_code, latency_ms, excerpt, error)
),
updated AS (
    UPDATE runtime_delivery d
    SET status = r.status,
        next_attempt_at = r.next_attempt_at,
        lease_until = NULL,
        attempts_made = d.attempts_made + (r.attempted_at IS NOT NULL)::int,
        series_started_at = coalesce(d.series_started_at, r.attempted_at),
        last_status_code = CASE WHEN r.attempted_at IS NULL THEN d.last_status_code ELSE r.status_code END,
        last_error = r.error,
        finished_at = CASE WHEN r.status = 'pending' THEN NULL ELSE %s END
    FROM result r
    WHERE d.id = r.id AND d.fence = r.fence AND d.status = 'pending'
    RETURNING d.id, d.attempts_made
)
INSERT INTO runtime_deliveryattempt
    (delivery_id, number, attempted_at, status_code, latency_ms, response_excerpt, error)
SELECT u.id, u.attempts_made, r.attempted_at, r.status_code, r.latency_ms, r.excerpt, r.error
FROM updated u JOIN result r ON r.id = u.id
WHERE r.attempted_at IS NOT NULL
"""

_MARK_ENDPOINTS = """
WITH seen AS (
    SELECT * FROM unnest(%(ids)s::text[], %(ok)s::bool[], %(gone)s::bool[]) AS s(id, is_ok, is_gone)
),
changed AS MATERIALIZED (
    SELECT e.runtime_app_id AS id, s.is_ok,
           CASE WHEN e.disabled_at IS NOT NULL THEN NULL
                WHEN s.is_gone THEN %(gone_reason)s
                WHEN NOT s.is_ok AND e.failing_since <= %(now)s - %(patience_days)s * interval '1 day'
                THEN %(failing_reason)s
           END AS fault
    FROM runtime_webhookendpoint e
    JOIN seen s ON s.id = e.runtime_app_id
    WHERE (s.is_ok AND (e.failing_since IS NOT NULL OR e.last_success_at IS NULL
                        OR e.last_success_at < %(now)s - interval '1 minute'))
       OR (NOT s.is_ok AND e.failing_since IS NULL)
       OR (s.is_gone AND e.disabled_at IS NULL)
       OR (NOT s.is_ok AND e.disabled_at IS NULL AND e.failing_since <= %(now)s - %(patience_days)s * interval '1 day')
    ORDER BY e.runtime_app_id FOR NO KEY UPDATE OF e
)
UPDATE runtime_webhookendpoint e
SET last_success_at = CASE WHEN c.is_ok THEN %(now)s ELSE e.last_success_at END,
    failing_since = CASE WHEN c.is_ok THEN NULL ELSE coalesce(e.failing_since, %(now)s) END,
    disabled_at = CASE WHEN c.fault IS NULL THEN e.disabled_at ELSE %(now)s END,
    disabled_reason = coalesce(c.fault, e.disabled_reason)
FROM changed c WHERE e.runtime_app_id = c.id
RETURNING e.runtime_app_id, c.fault
"""


def record_results(results: Sequence[Result]) -> None:
    """Write deliveries, attempts and what the endpoints' health says of it, all or nothing; two queries.

    A result whose lease ran out and was claimed anew is left out: the later claim's counts.
    """
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_RECORD, [*_columns(results), now])
        marks = _marks(results)
        if marks:
            ids, oks, gones = (list(column) for column in zip(*marks, strict=True))
            cursor.execute(_MARK_ENDPOINTS, {"ids": ids, "ok": oks, "gone": gones, "now": now, **_DISABLING})
            tell_disabled([endpoint_id for endpoint_id, fault in cursor.fetchall() if fault is not None])


def _columns(results: Sequence[Result]) -> list[list[object]]:
    rows = [
        (
            result.claim.delivery_id,
            result.claim.fence,
            str(result.status),
            result.next_attempt_at,
            *_attempt_columns(result),
            result.error,
        )
        for result in results
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def _attempt_columns(result: Result) -> tuple[datetime | None, int | None, int | None, str | None]:
    attempt = result.attempt
    if attempt is None:
        return None, None, None, None
    return attempt.attempted_at, attempt.status_code, attempt.latency_ms, attempt.excerpt


def _marks(results: Sequence[Result]) -> list[tuple[str, bool, bool]]:
    """Return each endpoint that was tried, whether one attempt succeeded, and whether one said 410."""
    marks: dict[str, tuple[bool, bool]] = {}
    for result in results:
        if result.attempt is not None:
            endpoint_id = result.claim.target.endpoint_id
            is_ok, is_gone = marks.get(endpoint_id, (False, False))
            is_ok = is_ok or result.status == DeliveryStatus.DELIVERED
            marks[endpoint_id] = (is_ok, is_gone or result.is_gone)
    return [(endpoint_id, *mark) for endpoint_id, mark in marks.items()]
