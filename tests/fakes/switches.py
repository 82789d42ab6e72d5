"""What a test may switch on a fake provider."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from examples.acme_weather.capabilities import Call
from examples.acme_weather.provider import DEFAULT_SIGNATURE_HEADER

Json = dict[str, Any]
SIGNING_SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OVERSIZE_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True)
class Reply:
    """A whole answer, for what no switch can express."""

    status_code: int
    content: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WebhookStep:
    """How the webhook sink answers one delivery."""

    status_code: int = 200
    delay_ms: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b'{"received": true}'


@dataclass
class Switches:
    """Everything that a test may change while the provider runs; times of switches are in milliseconds."""

    signing_secret: str = SIGNING_SECRET
    secrets_by_path: dict[str, str] = field(default_factory=dict)
    signature_header: str = DEFAULT_SIGNATURE_HEADER

    # Faults of the connection and the answer, on the routes named here: execute, health, webhooks, other.
    # An action is done before its answer goes wrong, as in the worst case of a real one.
    faulty_routes: set[str] = field(default_factory=lambda: {"execute"})
    latency_ms: int = 0
    status_code: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    malformed_json: bool = False
    slow_body: bool = False
    slow_body_interval_ms: int = 100
    oversize: bool = False
    oversize_bytes: int = OVERSIZE_BYTES
    hang: bool = False
    drop_connection: bool = False
    redirect_to: str | None = None

    # Faults of execute calls.
    answers: dict[str, Json | Callable[[Call], "Json | Reply"]] = field(default_factory=dict)
    wrong_schema: bool = False
    echo_secrets: bool = False
    ttl: int | None = None
    act_twice: bool = False
    accept_bad_signatures: bool = False
    accept_stale_timestamps: bool = False
    accept_unknown_capabilities: bool = False
    accept_bad_params: bool = False
    unsigned_answers: bool = False

    # Health: the body's status, the HTTP status, and what differs from "healthy".
    unhealthy: bool = False
    health_status: int = 200
    capability_health: dict[str, str] = field(default_factory=dict)

    # The webhook sink takes one step a delivery, a bare number being a status; afterwards it answers 200.
    webhook_script: list[int | WebhookStep] = field(default_factory=list)
