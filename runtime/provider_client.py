"""Execute calls: how the platform asks a provider (spec 4 "Execute protocol").

No database transaction may be open around a call, and its database connection goes back to the pool first, so
that a hanging provider holds nothing but its own caller.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from aiffinity.lib.crypto import Secret
from aiffinity.lib.envelope import dump_json
from aiffinity.lib.errors import Detail, UpstreamError, UpstreamInvalidResponse, UpstreamTimeout
from aiffinity.lib.ids import new_id
from aiffinity.lib.outbound import (
    CircuitBreaker,
    OutboundError,
    OutboundRequest,
    OutboundResponse,
    OutboundTimeout,
    client,
)
from aiffinity.lib.request_ids import get_request_id
from runtime.auth_profiles import API_KEY, secret_fields
from runtime.echoes import refuse_echo
from runtime.models import RuntimeApp
from runtime.named_secrets import open_named_secrets
from runtime.provider_answers import ExecuteAnswer, read_answer
from runtime.signatures import sign_execute
from runtime.signing_secrets import signing_secret

MAX_TIMEOUT_MS = 30_000
ACTION = "action"

# One a process: it counts in memory, by app, host and whether the call is a test.
breaker = CircuitBreaker()


@dataclass(frozen=True, kw_only=True)
class ExecuteCall:
    """One call of a capability for one user; `user_id` is the opaque one (`usr_…`).

    `access_token`, `api_key` and `credentials` are the user's connection, as the auth profile asks for it.
    `timeout_ms` is the deadline, at most 30,000; the setting's without it. A sandbox call says so in a header
    and has a circuit breaker of its own; so has each `circuit` that is named, such as one run of checks.
    `signature` and `timestamp` stand in for the right ones, for checks of how a provider treats wrong ones.
    """

    runtime_app: RuntimeApp
    capability: str
    mode: str
    params: dict[str, Any] = field(repr=False)
    user_id: str
    install_id: str | None = None
    locale: str = "en-US"
    timezone: str = "UTC"
    idempotency_key: str | None = None
    timeout_ms: int | None = None
    is_sandbox: bool = False
    circuit: str = ""
    access_token: Secret | None = None
    api_key: Secret | None = None
    credentials: dict[str, Secret] | None = None
    signature: str | None = None
    timestamp: int | None = None


def execute(call: ExecuteCall) -> ExecuteAnswer:
    """Call the provider once and return its answer, which may be a refusal of its own (status `error`).

    Raises UpstreamTimeout when the deadline passes, UpstreamError when the provider is down, answers outside
    the protocol or was shut off by its circuit breaker (with Retry-After), and UpstreamInvalidResponse for an
    answer that isn't one, or that holds a secret of the call.
    """
    named = open_named_secrets(call.runtime_app)
    answer = read_answer(_send(call, build_request(call, named)))
    of_user = (call.access_token, call.api_key, *secret_fields(call.runtime_app, call.credentials or {}))
    refuse_echo(answer, [*named.values(), *(secret for secret in of_user if secret is not None)])
    return answer


def send_call(call: ExecuteCall) -> OutboundResponse:
    """Call the provider once and return the raw answer, whatever its status; raises like `execute`."""
    return _send(call, build_request(call, open_named_secrets(call.runtime_app)))


def _send(call: ExecuteCall, request: OutboundRequest) -> OutboundResponse:
    key = (call.runtime_app.pk, urlsplit(call.runtime_app.runtime_url).netloc, call.is_sandbox, call.circuit)
    if not breaker.allow(key):
        wait_seconds = int(breaker.retry_after_seconds(key)) + 1
        raise UpstreamError(
            "The provider failed too often; calls are held back for a moment.",
            details=[Detail("", "breaker_open", "The circuit breaker of this provider is open.")],
            headers={"Retry-After": str(wait_seconds)},
        )
    is_ok = False
    try:
        response = send_outside_database(request)
        is_ok = response.status < 500
    except OutboundError as failure:
        raise upstream_failure(failure) from None
    finally:
        breaker.record(key, is_ok)
    return response


def build_request(call: ExecuteCall, named: Mapping[str, Secret]) -> OutboundRequest:
    """Address, fill and sign one call; `named` are the app's named secrets.

    Plain http leaves the outbound client for allow-listed hosts alone, so a request that can be sent at all
    may carry the app's secrets.
    """
    body = dump_json(
        {
            "capability": call.capability,
            "mode": call.mode,
            "params": call.params,
            "context": _context(call, named),
        }
    )
    timestamp = int(time.time()) if call.timestamp is None else call.timestamp
    signature = call.signature or sign_execute(signing_secret(call.runtime_app), timestamp, body)
    base_url = call.runtime_app.runtime_url.rstrip("/")
    return OutboundRequest(
        method="POST",
        url=f"{base_url}/capabilities/{call.capability}/execute",
        headers=(
            ("Content-Type", "application/json"),
            ("Accept", "application/json"),
            ("X-Aiffinity-Request-Id", get_request_id() or new_id("req")),
            ("X-Aiffinity-User-Id", call.user_id),
            ("X-Aiffinity-Timestamp", str(timestamp)),
            ("X-Aiffinity-Signature", signature),
            ("traceparent", f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"),
            *_optional_headers(call),
        ),
        body=body,
        timeout_ms=min(call.timeout_ms or settings.EXECUTE_TIMEOUT_MS, MAX_TIMEOUT_MS),
        can_resend=call.mode != ACTION,
    )


def send_outside_database(request: OutboundRequest) -> OutboundResponse:
    """Send a request while holding no database connection; raises an OutboundError."""
    if not connection.in_atomic_block:
        connection.close()
    return client().request(request)


def upstream_failure(failure: OutboundError) -> UpstreamTimeout | UpstreamError | UpstreamInvalidResponse:
    """Say for the caller of a capability why the provider brought no answer."""
    details = [Detail("", failure.kind, failure.message)]
    if isinstance(failure, OutboundTimeout):
        return UpstreamTimeout(details=details)
    if failure.kind == "too_large":
        return UpstreamInvalidResponse("The provider's answer is too large.", details=details)
    return UpstreamError(details=details)


def _context(call: ExecuteCall, named: Mapping[str, Secret]) -> dict[str, Any]:
    return {
        "userId": call.user_id,
        "installId": call.install_id,
        "locale": call.locale,
        "timezone": call.timezone,
        "secrets": {key: secret.reveal() for key, secret in named.items()},
        "credentials": {name: secret.reveal() for name, secret in (call.credentials or {}).items()},
    }


def _optional_headers(call: ExecuteCall) -> list[tuple[str, str]]:
    headers = []
    if call.access_token is not None:
        headers.append(("Authorization", f"Bearer {call.access_token.reveal()}"))
    if call.api_key is not None:
        headers.append((api_key_header(call.runtime_app), call.api_key.reveal()))
    if call.idempotency_key is not None:
        headers.append(("Idempotency-Key", call.idempotency_key))
    if call.is_sandbox:
        headers.append(("X-Aiffinity-Environment", "sandbox"))
    return headers


def api_key_header(runtime_app: RuntimeApp) -> str:
    """Return the header that carries a user's key."""
    profile = runtime_app.auth_profile or {}
    return str(profile.get(API_KEY, {}).get("header_name", "X-Api-Key"))
