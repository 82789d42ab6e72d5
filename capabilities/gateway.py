"""The gateway: reading a capability of an install, in state and history mode (spec 4 "Gateway").

The order is fixed: find the install that the caller may use, check that nothing is suspended, check the params,
answer from the cache while it is fresh, call the provider, check its answer, keep it, record the call.
"""

from aiffinity.lib.errors import (
    InvalidState,
    NotFound,
    PlatformError,
    UpstreamError,
    UpstreamInvalidResponse,
    UpstreamTimeout,
)
from capabilities.bulkhead import seat
from capabilities.cached_states import (
    StateKey,
    bounded_ttl,
    fresh_state,
    keep_state,
    latest_state,
    usable_state,
)
from capabilities.callers import Target
from capabilities.calls import (
    Answer,
    Call,
    CallContext,
    answer_of_provider,
    answer_of_state,
    attach_credentials,
    call_provider,
    new_call,
    release_connection,
)
from capabilities.flights import Flights
from capabilities.models import CachedState, InvocationStatus
from capabilities.recording import recorder
from capabilities.records import Record, set_failure
from capabilities.suspensions import check_callable
from runtime.connections.use import is_still_connected
from runtime.provider_answers import ExecuteAnswer

PROVIDER_FAILURES = (UpstreamTimeout, UpstreamError, UpstreamInvalidResponse)
MAX_WAIT_SECONDS = 35.0

Fetched = CachedState | ExecuteAnswer
flights: Flights[Fetched] = Flights()


def invoke(target: Target, params: dict[str, object], *, context: CallContext, skips_cache: bool = False) -> Answer:
    """Read a capability in mode state or history and return its answer.

    `skips_cache` asks the provider although a fresh answer is kept. Raises INVALID_STATE (409) for other
    modes, CAPABILITY_SUSPENDED (503), VALIDATION_ERROR (400), CONNECTION_REQUIRED (422),
    SERVICE_UNAVAILABLE (503, too many calls to the app), and the UPSTREAM errors (502, 504) where no answer
    of the last 24 hours can stand in.
    """
    if target.mode == "state":
        return _invoke_state(new_call(target, params, context), skips_cache=skips_cache)
    if target.mode == "history":
        return _invoke_history(new_call(target, params, context))
    right = {"action": "use /action", "realtime": "use /realtime", "webhook": "the provider sends it"}
    raise InvalidState(f"'{target.name}' has mode {target.mode}; {right.get(target.mode, 'it takes no calls')}.")


def current_state(target: Target) -> Answer:
    """Return the last answer of a state capability without asking the provider; reading it is no invocation.

    Raises INVALID_STATE (409) for other modes, CAPABILITY_SUSPENDED (503), and NotFound where nothing was
    fetched within 24 hours.
    """
    if target.mode != "state":
        raise InvalidState(f"'{target.name}' has mode {target.mode}; only mode state keeps answers.")
    check_callable(target.install, target.runtime_app, target.name)
    state = latest_state(target.install, target.capability_id)
    if state is None:
        raise NotFound("No answer is kept yet; invoke the capability first.")
    return Answer(
        invocation_id=state.invocation_id,
        data=state.data,
        latency_ms=0,
        ttl=state.ttl_seconds,
        cached=True,
        stale=not state.is_fresh,
        fetched_at=state.fetched_at,
        expires_at=state.expires_at,
    )


def _invoke_state(call: Call, *, skips_cache: bool) -> Answer:
    key = call.key
    kept = None if skips_cache else fresh_state(key)
    if kept is not None:
        return _answer_from_cache(call, kept)
    # Who waits for somebody else's call, or for a new token, holds a thread just as well, and so a seat.
    with seat(call.target.app_id):
        return _ask_once(call, key, skips_cache=skips_cache)


def _ask_once(call: Call, key: StateKey, *, skips_cache: bool) -> Answer:
    """Ask the provider, or wait for an equal call that does so already."""
    flight = flights.join(key)
    try:
        if flight is None:
            return _answer_leader(call, flights.land(key, lambda: _fetch(call, key, skips_cache=skips_cache)))
        release_connection()
        return _answer_follower(call, flight.result(timeout=MAX_WAIT_SECONDS))
    except TimeoutError:
        return _answer_stale(call, key, UpstreamTimeout(), is_leader=False)
    except PROVIDER_FAILURES as error:
        return _answer_stale(call, key, error, is_leader=flight is None)


def _fetch(call: Call, key: StateKey, *, skips_cache: bool) -> Fetched:
    """Ask the provider and keep what it says; a flight that landed a moment ago spares the call."""
    landed = None if skips_cache else fresh_state(key)
    if landed is not None:
        return landed
    attach_credentials(call)
    answer = call_provider(call)
    if answer.status != "ok":
        return answer
    ttl_seconds = bounded_ttl(answer.ttl, call.target.descriptor.get("refresh_interval_seconds"))
    return keep_state(
        key,
        answer.data,
        ttl_seconds=ttl_seconds,
        invocation_id=call.invocation.pk,
        may_keep=lambda: is_still_connected(call.credentials),
    )


def _answer_leader(call: Call, fetched: Fetched) -> Answer:
    if isinstance(fetched, ExecuteAnswer):
        _record(call, fetched.status, is_cached=False)
        return answer_of_provider(call, fetched)
    if fetched.invocation_id != call.invocation.pk:
        return _answer_from_cache(call, fetched)
    _record(call, InvocationStatus.OK, is_cached=False)
    return answer_of_state(call, fetched, cached=False)


def _answer_follower(call: Call, fetched: Fetched) -> Answer:
    if isinstance(fetched, ExecuteAnswer):
        _record(call, fetched.status, is_cached=True)
        return answer_of_provider(call, fetched)
    return _answer_from_cache(call, fetched)


def _answer_from_cache(call: Call, state: CachedState) -> Answer:
    _record(call, InvocationStatus.OK, is_cached=True)
    return answer_of_state(call, state, cached=True)


def _answer_stale(call: Call, key: StateKey, error: PlatformError, *, is_leader: bool) -> Answer:
    """Record the failure; serve the last good answer if it is younger than 24 hours, else raise the error."""
    set_failure(call.invocation, error)
    _record(call, InvocationStatus.ERROR, is_cached=not is_leader)
    state = usable_state(key)
    if state is None:
        raise error
    return answer_of_state(call, state, cached=True, stale=True)


def _invoke_history(call: Call) -> Answer:
    try:
        with seat(call.target.app_id):
            attach_credentials(call)
            answer = call_provider(call)
    except PROVIDER_FAILURES as error:
        set_failure(call.invocation, error)
        _record(call, InvocationStatus.ERROR, is_cached=False)
        raise
    _record(call, answer.status, is_cached=False)
    return answer_of_provider(call, answer)


def _record(call: Call, status: str, *, is_cached: bool) -> None:
    call.invocation.status = status
    call.invocation.is_cached = is_cached
    call.invocation.latency_ms = call.latency_ms()
    recorder.add(Record(call.invocation, has_event=not is_cached))
