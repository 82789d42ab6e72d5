"""Claiming due deliveries: many at once, fairly over the endpoints, under a lease and a fence (spec 6).

One statement walks the endpoints that have something pending (a skip scan over the index `delivery_due`),
leaves out those without room, takes an equal share of the oldest from each and locks endpoints and deliveries
with SKIP LOCKED. So claimers never wait for one another, nor for one whose process was stopped; who finds an
endpoint locked looks again a moment later.

An endpoint's room is the least of three:

- the cap in flight, which counts the live leases of all processes. A claim that read them just before another
  one committed may fill the same room once more: the price for never waiting;
- the rate limit, a bucket that holds one second's worth of deliveries and fills evenly. `paced_until` says
  until when the bucket is spoken for; it stands on the endpoint's row, is read and written under that row's
  lock, and so is exact over any number of workers and survives them. In any T seconds at most
  `rate_limit_per_second * (T + 1)` attempts are claimed, retries included;
- the breaker: nothing while it is open, and a single probe once its time is over. Whoever claims the probe
  opens the breaker for another while, so that no second one follows before the first has ended or is lost.

The statement's cost must not grow with the queue, whatever the planner believes of a table that fills and empties all
day: where it might prefer to walk through all that is due, the text leaves it no way (a LIMIT in each lateral part, a
CASE around what is checked again under the lock, no sorting of what an index has in order).

What waits for room burns no attempt. A disabled endpoint, or one of a deleted app, has all the room
there is: its deliveries are stopped, not sent.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.db import connection
from django.utils import timezone

from runtime.deliveries.breakers import OPEN_FOR
from runtime.deliveries.targets import Target, load_targets

BATCH_SIZE = 200
IN_FLIGHT_PER_ENDPOINT = 20
IN_FLIGHT_PER_FAILING_ENDPOINT = 4
LEASE_SLACK_MS = 10_000
# A lease is 10 s longer than the endpoint's time limit: half for the wait to start, half to record. What
# could not start in time is left to another claim.
START_WITHIN_SECONDS = 5.0
# A bucket that is empty is waited for until it holds more than a drop, and a locked endpoint for as long.
PAUSE_SECONDS = 0.1

# A planner that takes the table for empty would read all of it and sort that; no other setting is of use here.
_PLAN = "SET LOCAL enable_sort = off"
# Each endpoint with its earliest: one step down the index for each, however many are pending.
_PENDING_ENDPOINT = """
pending_endpoint(id, due_at) AS (
    (SELECT endpoint_id, next_attempt_at FROM runtime_delivery
     WHERE status = 'pending' ORDER BY endpoint_id, next_attempt_at LIMIT 1)
    UNION ALL
    SELECT following.* FROM pending_endpoint p CROSS JOIN LATERAL (
        SELECT d.endpoint_id, d.next_attempt_at FROM runtime_delivery d
        WHERE d.status = 'pending' AND d.endpoint_id > p.id ORDER BY d.endpoint_id, d.next_attempt_at LIMIT 1
    ) following
)
"""
_IN_FLIGHT = """
SELECT count(*) AS in_flight FROM runtime_delivery d
WHERE d.endpoint_id = e.runtime_app_id AND d.lease_until > %(now)s
"""
_CAP_ROOM = "(CASE WHEN e.failing_since IS NULL THEN %(cap)s ELSE %(failing_cap)s END - f.in_flight)"
_PACE_ROOM = """
floor(e.rate_limit_per_second * extract(epoch FROM %(now)s + interval '1 second' - greatest(e.paced_until, %(now)s)))
"""
# Nothing is sent there any more (`targets`), so nothing holds back what is to be stopped.
_IS_CLOSED = "(e.disabled_at IS NOT NULL OR a.deleted_at IS NOT NULL OR a.webhook_url = '')"
_ROOM = f"""
CASE WHEN {_IS_CLOSED} THEN %(batch)s
     WHEN e.breaker_open_until > %(now)s THEN 0
     WHEN e.breaker_open_until IS NOT NULL THEN 1
     ELSE least({_CAP_ROOM}, {_PACE_ROOM}) END
"""

_CLAIM = f"""
WITH RECURSIVE {_PENDING_ENDPOINT},
open_endpoint AS MATERIALIZED (
    SELECT e.runtime_app_id AS id, f.in_flight, {_ROOM} AS room
    FROM pending_endpoint p JOIN runtime_webhookendpoint e ON e.runtime_app_id = p.id
    JOIN providers_app a ON a.id = p.id
    CROSS JOIN LATERAL ({_IN_FLIGHT}) f
    WHERE p.due_at <= %(now)s
),
share AS MATERIALIZED (
    SELECT ceil(2.0 * %(batch)s / greatest(count(*), 1)) AS size FROM open_endpoint WHERE room > 0
),
candidate AS MATERIALIZED (
    SELECT due.id, e.id AS endpoint_id, e.in_flight, due.place
    FROM open_endpoint e CROSS JOIN share CROSS JOIN LATERAL (
        SELECT d.id, d.next_attempt_at, row_number() OVER (ORDER BY d.next_attempt_at) AS place
        FROM runtime_delivery d
        WHERE d.endpoint_id = e.id AND d.status = 'pending' AND d.next_attempt_at <= %(now)s
        ORDER BY d.next_attempt_at LIMIT least(greatest(e.room, 0), share.size)::int
    ) due
    ORDER BY due.next_attempt_at LIMIT 2 * %(batch)s
),
locked_endpoint AS MATERIALIZED (
    SELECT e.runtime_app_id AS id, {_ROOM} AS room
    FROM (SELECT DISTINCT endpoint_id AS id, in_flight FROM candidate) f
    JOIN runtime_webhookendpoint e ON e.runtime_app_id = f.id JOIN providers_app a ON a.id = f.id
    FOR NO KEY UPDATE OF e SKIP LOCKED
),
chosen AS MATERIALIZED (
    SELECT d.id, d.endpoint_id FROM runtime_delivery d
    WHERE d.id = ANY (ARRAY(SELECT c.id FROM candidate c JOIN locked_endpoint l ON l.id = c.endpoint_id
                            WHERE c.place <= l.room))
      AND CASE WHEN d.status = 'pending' THEN d.next_attempt_at <= %(now)s END
    LIMIT %(batch)s FOR UPDATE SKIP LOCKED
),
paced AS (
    UPDATE runtime_webhookendpoint e
    SET paced_until = greatest(e.paced_until, %(now)s)
                      + taken.size * interval '1 second' / e.rate_limit_per_second,
        breaker_open_until = CASE WHEN e.breaker_open_until IS NOT NULL THEN %(now)s + %(open_for)s END
    FROM (SELECT endpoint_id, count(*) AS size FROM chosen GROUP BY endpoint_id) taken
    WHERE e.runtime_app_id = taken.endpoint_id AND e.disabled_at IS NULL
)
UPDATE runtime_delivery d
SET fence = d.fence + 1,
    lease_until = %(now)s + (%(slack_ms)s + e.timeout_ms) * interval '1 millisecond',
    next_attempt_at = %(now)s + (%(slack_ms)s + e.timeout_ms) * interval '1 millisecond'
FROM chosen, runtime_event v, runtime_webhookendpoint e
WHERE d.id = chosen.id AND v.id = d.event_id AND e.runtime_app_id = d.endpoint_id
RETURNING d.id, d.fence, d.attempts_made, d.attempts_made - d.attempts_before_series, d.series_started_at,
          d.endpoint_id, v.id, v.type, v.body
"""  # noqa: S608 - Made of constants.

_NEXT_OPENING = f"""
WITH RECURSIVE {_PENDING_ENDPOINT}
SELECT min(
    CASE WHEN {_IS_CLOSED} OR e.breaker_open_until <= %(now)s THEN %(soon)s
         WHEN e.breaker_open_until IS NOT NULL THEN e.breaker_open_until
         WHEN {_CAP_ROOM} < 1 THEN NULL
         WHEN {_PACE_ROOM} < 1
         THEN e.paced_until - interval '1 second'
              + greatest(interval '1 second' / e.rate_limit_per_second, %(soon)s - %(now)s)
         ELSE %(soon)s END)
FROM pending_endpoint p JOIN runtime_webhookendpoint e ON e.runtime_app_id = p.id
JOIN providers_app a ON a.id = p.id
CROSS JOIN LATERAL ({_IN_FLIGHT}) f
WHERE p.due_at <= %(now)s
"""  # noqa: S608 - Made of constants.


@dataclass(frozen=True)
class Claim:
    """A delivery that this process may send until its lease ends; what comes of it counts under `fence`."""

    delivery_id: str
    fence: int
    attempts_made: int
    attempts_in_series: int
    series_started_at: datetime | None
    event_id: str
    event_type: str
    body: bytes
    target: Target


@dataclass(frozen=True)
class Look:
    """What a look at the queue found: claims and by when they must start, or when to look again.

    `start_by` is in seconds of the monotonic clock.
    """

    claims: list[Claim]
    opening_at: datetime | None
    start_by: float


def look_for_due(limit: int) -> Look:
    """Claim a batch; where nothing is to be had, ask when to look again."""
    start_by = time.monotonic() + START_WITHIN_SECONDS
    claims = claim_due(limit)
    return Look(claims, None if claims else next_opening(), start_by)


def claim_due(limit: int = BATCH_SIZE) -> list[Claim]:
    """Claim at most `limit` deliveries that are due; two queries, and none is held open."""
    rows = _fetch(_CLAIM, {**_parameters(), "batch": limit})
    targets = load_targets({row[5] for row in rows}) if rows else {}
    return [
        Claim(
            delivery_id=row[0],
            fence=row[1],
            attempts_made=row[2],
            attempts_in_series=row[3],
            series_started_at=row[4],
            event_id=row[6],
            event_type=row[7],
            body=row[8].encode(),
            target=targets[row[5]],
        )
        for row in rows
    ]


def next_opening() -> datetime | None:
    """Return when to claim again what is due and found no room or a locked endpoint; None where nothing is.

    An endpoint with all its places in flight has none: whoever holds them claims again when one is free.
    """
    [(opening,)] = _fetch(_NEXT_OPENING, _parameters())
    return cast("datetime | None", opening)


def _fetch(statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement as `_PLAN` wants it, both in one message and so in one transaction that never stands open."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_PLAN}; {statement}", parameters)
        cursor.nextset()
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _parameters() -> dict[str, Any]:
    now = timezone.now()
    return {
        "now": now,
        "soon": now + timedelta(seconds=PAUSE_SECONDS),
        "cap": IN_FLIGHT_PER_ENDPOINT,
        "failing_cap": IN_FLIGHT_PER_FAILING_ENDPOINT,
        "slack_ms": LEASE_SLACK_MS,
        "open_for": OPEN_FOR,
    }
