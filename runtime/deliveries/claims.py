"""Claiming due deliveries: many at once, fairly over the endpoints, under a lease and a fence (spec 6).

One statement walks the endpoints that have something pending (a skip scan over the index `delivery_due`),
leaves out those whose room is used up, takes an equal share of the oldest from each and locks the rows with
SKIP LOCKED. So claimers never wait for one another, nor for one whose process was stopped. The cap for an
endpoint counts the live leases of all processes; two claims at the same moment may both fill the same room,
which is the price for never waiting.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone

from aiffinity.lib.crypto import Secret
from runtime.deliveries.retries import RetryPolicy
from runtime.models import WebhookEndpoint
from runtime.signing_secrets import live_signing_secrets

BATCH_SIZE = 200
IN_FLIGHT_PER_ENDPOINT = 20
IN_FLIGHT_PER_FAILING_ENDPOINT = 4
LEASE_SLACK_MS = 10_000

_CLAIM = """
WITH RECURSIVE pending_endpoint(id) AS (
    (SELECT endpoint_id FROM runtime_delivery WHERE status = 'pending' ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.endpoint_id FROM runtime_delivery d
            WHERE d.status = 'pending' AND d.endpoint_id > p.id ORDER BY d.endpoint_id LIMIT 1)
    FROM pending_endpoint p WHERE p.id IS NOT NULL
),
open_endpoint AS MATERIALIZED (
    SELECT e.runtime_app_id AS id,
           CASE WHEN e.failing_since IS NULL THEN %(cap)s ELSE %(failing_cap)s END
           - (SELECT count(*) FROM runtime_delivery d
              WHERE d.endpoint_id = e.runtime_app_id AND d.lease_until > %(now)s) AS room
    FROM pending_endpoint p JOIN runtime_webhookendpoint e ON e.runtime_app_id = p.id
    WHERE EXISTS (SELECT 1 FROM runtime_delivery d WHERE d.endpoint_id = e.runtime_app_id
                  AND d.status = 'pending' AND d.next_attempt_at <= %(now)s)
),
share AS MATERIALIZED (
    SELECT ceil(2.0 * %(batch)s / greatest(count(*), 1)) AS size FROM open_endpoint WHERE room > 0
),
candidate AS MATERIALIZED (
    SELECT due.id FROM open_endpoint e CROSS JOIN share CROSS JOIN LATERAL (
        SELECT d.id, d.next_attempt_at FROM runtime_delivery d
        WHERE d.endpoint_id = e.id AND d.status = 'pending' AND d.next_attempt_at <= %(now)s
        ORDER BY d.next_attempt_at LIMIT least(greatest(e.room, 0), share.size)::int
    ) due
    ORDER BY due.next_attempt_at LIMIT 2 * %(batch)s
),
chosen AS MATERIALIZED (
    SELECT d.id FROM runtime_delivery d
    WHERE d.id = ANY (ARRAY(SELECT id FROM candidate))
      AND d.status = 'pending' AND d.next_attempt_at <= %(now)s
    LIMIT %(batch)s FOR UPDATE SKIP LOCKED
)
UPDATE runtime_delivery d
SET fence = d.fence + 1,
    lease_until = %(now)s + (%(slack_ms)s + e.timeout_ms) * interval '1 millisecond',
    next_attempt_at = %(now)s + (%(slack_ms)s + e.timeout_ms) * interval '1 millisecond'
FROM chosen, runtime_event v, runtime_webhookendpoint e
WHERE d.id = chosen.id AND v.id = d.event_id AND e.runtime_app_id = d.endpoint_id
RETURNING d.id, d.fence, d.attempts_made, d.attempts_made - d.attempts_before_series, d.series_started_at,
          d.endpoint_id, v.id, v.type, v.body
"""


@dataclass(frozen=True)
class Target:
    """Where an endpoint's deliveries go; `stop_reason` says why none may, `fault` why none can just now."""

    endpoint_id: str
    url: str
    signature_header: str
    timeout_ms: int
    policy: RetryPolicy
    secrets: tuple[Secret, ...] = ()
    stop_reason: str = ""
    fault: str = ""


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


def claim_due(limit: int = BATCH_SIZE) -> list[Claim]:
    """Claim at most `limit` deliveries that are due; two queries, and none is held open."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "now": timezone.now(),
                "batch": limit,
                "cap": IN_FLIGHT_PER_ENDPOINT,
                "failing_cap": IN_FLIGHT_PER_FAILING_ENDPOINT,
                "slack_ms": LEASE_SLACK_MS,
            },
        )
        rows = cursor.fetchall()
    targets = _load_targets({row[5] for row in rows}) if rows else {}
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


def _load_targets(endpoint_ids: Iterable[str]) -> dict[str, Target]:
    endpoints = WebhookEndpoint.objects.filter(pk__in=endpoint_ids).select_related("runtime_app__app")
    return {endpoint.pk: _build_target(endpoint) for endpoint in endpoints}


def _build_target(endpoint: WebhookEndpoint) -> Target:
    stop_reason = _stop_reason(endpoint)
    secrets, fault = ((), "") if stop_reason else _open_secrets(endpoint)
    return Target(
        endpoint_id=endpoint.pk,
        url=endpoint.runtime_app.app.webhook_url,
        signature_header=endpoint.signature_header,
        timeout_ms=endpoint.timeout_ms,
        policy=RetryPolicy(
            max_retries=endpoint.max_retries,
            initial_delay_ms=endpoint.initial_delay_ms,
            max_delay_ms=endpoint.max_delay_ms,
            max_elapsed_hours=endpoint.max_elapsed_hours,
        ),
        secrets=secrets,
        stop_reason=stop_reason,
        fault=fault,
    )


def _stop_reason(endpoint: WebhookEndpoint) -> str:
    if endpoint.runtime_app.app.deleted_at is not None:
        return "The app was deleted."
    if endpoint.disabled_at is not None:
        return "The endpoint is disabled."
    return "" if endpoint.runtime_app.app.webhook_url else "The app has no webhook URL."


def _open_secrets(endpoint: WebhookEndpoint) -> tuple[tuple[Secret, ...], str]:
    try:
        return tuple(live_signing_secrets(endpoint.runtime_app)), ""
    except ValueError:
        # One unreadable row must not keep all others waiting; its deliveries are retried until it opens.
        return (), "The signing secret can't be opened."
