"""Actions: a provider does something for a user, once, after the user said yes (spec 4 "Gateway", action)."""

import hashlib

from aiffinity.lib.errors import InvalidState, PermissionDenied, PlatformError, field_error
from capabilities.bulkhead import seat
from capabilities.callers import Target
from capabilities.calls import (
    Answer,
    Call,
    CallContext,
    answer_of_provider,
    attach_credentials,
    call_provider,
    new_call,
)
from capabilities.records import Record, set_failure, write_records


def run_action(
    target: Target,
    params: dict[str, object],
    *,
    context: CallContext,
    is_confirmed: bool,
    idempotency_key: str | None = None,
) -> Answer:
    """Run a capability in mode action for its own user and return the provider's answer.

    The record is written before the call, so that nothing can be done without a trace; nothing is retried.
    Raises INVALID_STATE (409) for other modes, PERMISSION_DENIED (403) for anybody but the user,
    VALIDATION_ERROR (400) at `confirmed` where the user has to say yes, and whatever a call raises.
    """
    if target.mode != "action":
        raise InvalidState(f"'{target.name}' has mode {target.mode}, not action; use /invoke or its own path.")
    if not target.is_own:
        raise PermissionDenied("Only the user can run an action: it needs the user's own confirmation.")
    call = new_call(target, params, context)
    if target.descriptor.get("confirmation_required", True) and not is_confirmed:
        message = "This action needs the user's confirmation; ask the user and send true."
        raise field_error("confirmed", message, code="confirmation_required")
    with seat(target.app_id):
        attach_credentials(call)
        return _run(call, idempotency_key)


def provider_key(install_id: str, invocation_id: str, given: str | None) -> str:
    """Return the Idempotency-Key that the provider gets.

    A key of the caller's own makes a retry of theirs the same act for the provider. It is hashed with the
    install, so that two users who chose the same key never meet.
    """
    if given is None:
        return invocation_id
    return hashlib.sha256(f"{install_id}/{given}".encode()).hexdigest()


def _run(call: Call, idempotency_key: str | None) -> Answer:
    invocation = call.invocation
    invocation.save(force_insert=True)
    key = provider_key(call.target.install.pk, invocation.pk, idempotency_key)
    try:
        answer = call_provider(call, idempotency_key=key)
    except PlatformError as error:
        set_failure(invocation, error)
        _finish(call)
        raise
    invocation.status = answer.status
    _finish(call)
    return answer_of_provider(call, answer)


def _finish(call: Call) -> None:
    call.invocation.latency_ms = call.latency_ms()
    write_records([Record(call.invocation, has_event=True)])
