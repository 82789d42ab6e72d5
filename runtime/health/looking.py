"""One look at a health URL, and what its answer says (spec 4 "Health": 5 s, 200 and `status` ok)."""

from dataclasses import dataclass
from typing import Any

from aiffinity.lib.errors import InvalidJson
from aiffinity.lib.json_gate import parse_json
from aiffinity.lib.outbound import OutboundError, OutboundRequest, OutboundResponse

TIMEOUT_MS = 5000
MAX_BODY_BYTES = 65_536
# How a health body says of a capability that it is well; it calls it unhealthy in many words.
HEALTHY_WORDS = ("healthy", "ok", "up")
MAX_ERROR_LENGTH = 200
# A failure that took this much longer than the time limit is ours: the process was stopped, or waited.
STALL_MS = 1000


@dataclass(frozen=True)
class Sighting:
    """What one look showed; `error` is empty where all is well, `body` is a JSON object where one came."""

    latency_ms: int
    status_code: int | None = None
    error: str = ""
    body: dict[str, Any] | None = None

    @property
    def is_healthy(self) -> bool:
        """Say whether the provider is well."""
        return not self.error

    @property
    def may_be_our_fault(self) -> bool:
        """Say whether a failure took so long that this process must have slept meanwhile."""
        return not self.is_healthy and self.latency_ms > TIMEOUT_MS + STALL_MS


def health_request(url: str, *, tag: object = None) -> OutboundRequest:
    """Build the request for one look. It passes no circuit breaker: those of execute calls count for themselves."""
    return OutboundRequest(
        method="GET",
        url=url,
        headers=(("Accept", "application/json"),),
        timeout_ms=TIMEOUT_MS,
        max_response_bytes=MAX_BODY_BYTES,
        tag=tag,
    )


def read_sighting(outcome: OutboundResponse | OutboundError) -> Sighting:
    """Say what an answer, or none, means."""
    latency_ms = round(outcome.elapsed_ms)
    if isinstance(outcome, OutboundError):
        return Sighting(latency_ms, error=outcome.message[:MAX_ERROR_LENGTH])
    if outcome.status != 200:
        return Sighting(latency_ms, outcome.status, f"The answer was HTTP {outcome.status}, not 200.")
    try:
        body = parse_json(outcome.body)
    except InvalidJson as invalid:
        return Sighting(latency_ms, 200, invalid.message[:MAX_ERROR_LENGTH])
    if not isinstance(body, dict):
        return Sighting(latency_ms, 200, "The answer is not a JSON object.")
    if body.get("status") != "ok":
        return Sighting(latency_ms, 200, "The answer's status is not 'ok'.", body)
    return Sighting(latency_ms, 200, body=body)


def is_called_unhealthy(capability_health: dict[str, str], capability: str) -> bool:
    """Say whether the last health body called a capability unhealthy; one that it doesn't name is well."""
    word = capability_health.get(capability)
    return word is not None and word.lower() not in HEALTHY_WORDS
