"""The request of one attempt: the frozen body, the headers that prove and name it (spec 4)."""

from collections.abc import Sequence

from aiffinity.lib.crypto import Secret
from aiffinity.lib.outbound import OutboundRequest
from runtime.deliveries.claims import Claim
from runtime.signatures import sign_hex, standard_webhooks_headers

# Larger answers are cut here; what is kept of them is less, but a cut costs the connection.
MAX_ANSWER_BYTES = 65_536


def build_request(claim: Claim, *, timestamp: int, tag: object) -> OutboundRequest:
    """Sign and address a claimed delivery; `timestamp` is the attempt's time in Unix seconds.

    The hex header is keyed with the current secret. The Standard Webhooks headers carry a signature by each
    live secret, and `webhook-id` is the event's id, the same in every attempt.
    """
    target = claim.target
    return OutboundRequest(
        method="POST",
        url=target.url,
        headers=(
            ("Content-Type", "application/json"),
            ("X-Aiffinity-Event", claim.event_type),
            ("X-Aiffinity-Delivery", claim.delivery_id),
            ("X-Aiffinity-Timestamp", str(timestamp)),
            *_signature_headers(claim, target.secrets, timestamp),
        ),
        body=claim.body,
        timeout_ms=target.timeout_ms,
        max_response_bytes=MAX_ANSWER_BYTES,
        can_truncate=True,
        tag=tag,
    )


def _signature_headers(claim: Claim, secrets: Sequence[Secret], timestamp: int) -> list[tuple[str, str]]:
    return [
        (claim.target.signature_header, sign_hex(secrets[0], claim.body)),
        *standard_webhooks_headers(secrets, claim.event_id, timestamp, claim.body),
    ]
