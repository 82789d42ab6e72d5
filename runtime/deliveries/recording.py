"""Writing results down: many at once, each only under its claim's fence (spec 6 "leases and fencing")."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from runtime.deliveries.outcomes import Result
from runtime.deliveries.standing import update_standing

# A process that is stopped in here would hold its endpoints' rows, and all who record for them, as long as it stands:
# the database gives up on it. The CASE leaves only the way by the ids, not the one through all that is pending.
_RECORD = """
WITH result AS (
    SELECT r.* FROM set_config('idle_in_transaction_session_timeout', '30s', true),
                    unnest(%s::text[], %s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[],
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
    WHERE d.id = r.id AND d.fence = r.fence AND CASE WHEN d.status = 'pending' THEN d.lease_until IS NOT NULL END
    RETURNING d.id, d.attempts_made
)
INSERT INTO runtime_deliveryattempt
    (delivery_id, number, attempted_at, status_code, latency_ms, response_excerpt, error)
SELECT u.id, u.attempts_made, r.attempted_at, r.status_code, r.latency_ms, r.excerpt, r.error
FROM updated u JOIN result r ON r.id = u.id
WHERE r.attempted_at IS NOT NULL
"""

# The rows are locked by the statement above; the conditions leave out what that one left out.
_TRY_AGAIN = """
UPDATE runtime_delivery d SET status = 'pending', next_attempt_at = r.retry_at, finished_at = NULL
FROM unnest(%s::text[], %s::bigint[], %s::timestamptz[]) AS r(id, fence, retry_at)
WHERE d.id = r.id AND d.fence = r.fence AND d.status = 'failed' AND d.finished_at = %s
"""


def record_results(results: Sequence[Result]) -> None:
    """Write deliveries, attempts and what they say of their endpoints, all or nothing; two to four queries.

    A result whose lease ran out and was claimed anew is left out: the later claim's counts. So is one that stands
    already, when a connection broke between the commit and its answer.
    """
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_RECORD, [*_columns(results), now])
        _try_again(update_standing(results, now), now)


def _try_again(results: Sequence[Result], now: datetime) -> None:
    """Take back the end of deliveries whose endpoint has moved on from the address that called itself gone."""
    open_again = [(each.claim.delivery_id, each.claim.fence, each.retry_at) for each in results if each.retry_at]
    if open_again:
        with connection.cursor() as cursor:
            cursor.execute(_TRY_AGAIN, [*(list(column) for column in zip(*open_again, strict=True)), now])


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
