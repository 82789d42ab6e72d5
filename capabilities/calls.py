"""One call of a provider: a seat, no database connection, the answer judged by the contract (spec 4 "Gateway")."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from aiffinity.lib.canonical import content_hash
from aiffinity.lib.errors import (
    Detail,
    UpstreamError,
    UpstreamInvalidResponse,
    ValidationFailed,
)
from capabilities.cached_states import StateKey
from capabilities.callers import Target
from capabilities.contracts import answer_faults, param_faults
from capabilities.models import CachedState, Invocation
from capabilities.records import new_invocation
from capabilities.suspensions import check_callable
from runtime.connections.use import NONE_NEEDED, Credentials, forget_access_token, open_credentials
from runtime.models import RuntimeApp
from runtime.provider_answers import ExecuteAnswer
from runtime.provider_client import ExecuteCall, execute

TOKEN_REFUSED = 401
DEFAULT_LOCALE = "en-US"
DEFAULT_TIMEZONE = "UTC"


@dataclass(frozen=True)
class CallContext:
    """What the caller says about the user: a BCP 47 locale and an IANA time zone."""

    locale: str = DEFAULT_LOCALE
    timezone: str = DEFAULT_TIMEZONE


@dataclass
class Call:
    """A call that passed every check and may go to the provider."""

    target: Target
    runtime_app: RuntimeApp
    params: dict[str, Any]
    context: CallContext
    invocation: Invocation
    credentials: Credentials = NONE_NEEDED
    began_at: float = field(default_factory=time.monotonic)

    @property
    def key(self) -> StateKey:
        """Return the key of the cached state and of the single flight."""
        install = self.target.install
        return StateKey(install.pk, self.target.capability_id, install.version_id, content_hash(self.params))

    def latency_ms(self) -> int:
        """Return the milliseconds since the call began."""
        return round((time.monotonic() - self.began_at) * 1000)


@dataclass(frozen=True)
class Answer:
    """What the caller gets; `stale` says that the provider fails and this is its last good answer."""

    invocation_id: str
    data: Any
    latency_ms: int
    status: str = "ok"
    ttl: int | None = None
    cached: bool = False
    stale: bool = False
    fetched_at: datetime = field(default_factory=timezone.now)
    expires_at: datetime | None = None
    next_cursor: str | None = None


def new_call(target: Target, params: dict[str, Any], context: CallContext) -> Call:
    """Check that a capability may be called with these params and begin the call.

    Raises CAPABILITY_SUSPENDED (503) with the reasons, VALIDATION_ERROR (400) with paths such as `params.x`.
    """
    began_at = time.monotonic()
    runtime_app = check_callable(target.install, target.runtime_app, target.name)
    faults = param_faults(target.descriptor, params)
    if faults:
        raise ValidationFailed(details=faults)
    return Call(target, runtime_app, params, context, new_invocation(target), began_at=began_at)


def call_provider(call: Call, *, idempotency_key: str | None = None) -> ExecuteAnswer:
    """Execute a call and return an answer that keeps the contract.

    The provider client holds no database connection meanwhile. A token that the provider refuses is renewed, and
    what is no action is asked once more.

    Raises UPSTREAM_TIMEOUT (504), UPSTREAM_ERROR (502, also for an answer of `status` error), and
    UPSTREAM_INVALID_RESPONSE (502) with paths such as `data.x`.
    """
    try:
        answer = execute(_execute_call(call, idempotency_key))
        is_token_refused = answer.status_code == TOKEN_REFUSED
    except UpstreamError as error:
        if not any(detail.code == f"http_{TOKEN_REFUSED}" for detail in error.details) or not _renew_token(call):
            raise
        is_token_refused, answer = False, execute(_execute_call(call, idempotency_key))
    if is_token_refused and _renew_token(call):
        answer = execute(_execute_call(call, idempotency_key))
    _check_answer(call.target, answer)
    return answer


def attach_credentials(call: Call) -> None:
    """Open what the call carries of the user's connection, its access token renewed where it has ended.

    Raises CONNECTION_REQUIRED (422) where the app's auth profile wants a connection and none works, and
    UPSTREAM_ERROR (502) where an ended token can't be renewed just now.
    """
    call.credentials = open_credentials(call.runtime_app, call.target.install.pk)


def release_connection() -> None:
    """Give the thread's connection back to the pool, unless a transaction needs it."""
    if not connection.in_atomic_block:
        connection.close()


def answer_of_state(call: Call, state: CachedState, *, cached: bool, stale: bool = False) -> Answer:
    """Make the answer to a call from a kept state."""
    return Answer(
        invocation_id=call.invocation.pk,
        data=state.data,
        latency_ms=call.latency_ms(),
        ttl=state.ttl_seconds,
        cached=cached,
        stale=stale,
        fetched_at=state.fetched_at,
        expires_at=state.expires_at,
    )


def answer_of_provider(call: Call, answer: ExecuteAnswer) -> Answer:
    """Make the answer to a call that nothing is kept of."""
    return Answer(
        invocation_id=call.invocation.pk,
        data=answer.data,
        latency_ms=call.latency_ms(),
        status=answer.status,
        next_cursor=answer.next_cursor,
    )


def _execute_call(call: Call, idempotency_key: str | None) -> ExecuteCall:
    return ExecuteCall(
        runtime_app=call.runtime_app,
        capability=call.target.name,
        mode=call.target.mode,
        params=call.params,
        user_id=call.target.user_id,
        install_id=call.target.install.pk,
        locale=call.context.locale,
        timezone=call.context.timezone,
        idempotency_key=idempotency_key,
        access_token=call.credentials.access_token,
        api_key=call.credentials.api_key,
        credentials=call.credentials.fields,
    )


def _renew_token(call: Call) -> bool:
    """Renew the access token that the provider refused; False where the call is not to be sent again.

    An action is never repeated: its next call finds the new token.
    """
    if call.credentials.access_token is None or not forget_access_token(call.credentials):
        return False
    if call.target.mode == "action":
        return False
    attach_credentials(call)
    return True


def _check_answer(target: Target, answer: ExecuteAnswer) -> None:
    if answer.status == "error":
        code = answer.error_code or "provider_error"
        message = answer.error_message or "The provider answered with an error."
        # The log keeps the message of the error; the provider's own words may hold what belongs to the user.
        raise UpstreamError("The provider refused the call.", details=[Detail("", code, message)])
    if answer.status == "pending" and answer.data is None:
        return
    faults = answer_faults(target.descriptor, answer.data)
    if faults:
        raise UpstreamInvalidResponse(f"The provider's answer breaks its contract: {_first(faults)}", details=faults)


def _first(faults: list[Detail]) -> str:
    return f"{faults[0].field} {faults[0].message}"
