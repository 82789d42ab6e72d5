"""Dimension contract: live answers match what the descriptors promise (spec 3)."""

from typing import Any

from aiffinity.lib.crypto import Secret
from aiffinity.lib.schemas import validate
from packages.conformance.case import Case
from packages.conformance.registry import (
    CALLED_MODES,
    Finding,
    capability_check,
    failed,
    judge,
    not_applicable,
    passed,
    version_check,
)
from runtime.auth_profiles import OAUTH2
from runtime.descriptors import answer_schema, input_schema

Descriptor = dict[str, Any]

WRONG_VALUES: tuple[Any, ...] = ({"wrong": True}, [None], 12345, "wrong", None, False)


@version_check("contract", weight=3, is_blocking=True)
def any_capability_answers(case: Case) -> Finding:
    """At least one capability answers."""
    called = [item for item in case.capabilities if item["mode"] in CALLED_MODES]
    if not called:
        return not_applicable("No capability of this package is called.")
    samples = [sample for item in called for sample in case.samples_of(item)]
    if any(sample.is_ok for sample in samples):
        return passed("The provider answers.")
    reason = next((sample.problem for sample in samples if sample.problem), "No call was made in time.")
    return failed(f"No capability answered at {case.runtime_app.runtime_url}: {reason}")


@capability_check("contract", weight=4, modes=CALLED_MODES)
def answers_with_status(case: Case, capability: Descriptor) -> Finding:
    """The answer follows the execute protocol and its status is ok."""
    samples = case.samples_of(capability)
    if not samples:
        return failed("No call was made in time.")
    bad = next((sample for sample in samples if not sample.is_ok), None)
    return judge(bad is None, "The answers have status ok.", f"{bad.problem if bad else ''} Answer with status ok.")


@capability_check("contract", weight=5, modes=CALLED_MODES)
def answers_match_schema(case: Case, capability: Descriptor) -> Finding:
    """The answer's data is valid against the schema."""
    schema = answer_schema(capability)
    answers = [sample.answer for sample in case.samples_of(capability) if sample.answer is not None]
    finished = [answer for answer in answers if answer.status == "ok"]
    if not finished:
        return failed("There was no answer to check against the schema.")
    for answer in finished:
        faults = validate(schema, answer.data)
        if faults:
            place = faults[0].pointer or "data"
            return failed(f"{place} {faults[0].message} Answer what the schema says, or change it.", "/schema")
    return passed("Every answer matches the schema.")


@capability_check("contract", weight=1, modes=("state",))
def ttl_declared(case: Case, capability: Descriptor) -> Finding:
    """The answer says for how long it holds."""
    answers = [sample.answer for sample in case.samples_of(capability) if sample.answer is not None]
    if not answers:
        return failed("There was no answer to look for a ttl in.")
    has_ttl = all(answer.ttl is not None for answer in answers)
    return judge(has_ttl, "The answers carry a ttl.", "Add `ttl`, the seconds for which the answer holds.")


@capability_check("contract", weight=2, modes=("history",))
def pages_follow_cursor(case: Case, capability: Descriptor) -> Finding:
    """A page has no more items than promised, and its cursor leads to another one."""
    params = {**case.params_of(capability)[0], "limit": 1}
    first = case.call(capability, params)
    if first.answer is None or not isinstance(first.answer.data, list):
        return failed(f"A page of one item was asked for. {first.problem or 'Answer an array in `data`.'}")
    if len(first.answer.data) > 1:
        return failed("`limit` was 1 and more items came. Honour params.limit.", "/max_items_per_page")
    if first.answer.next_cursor is None:
        return passed("There is one page.")
    second = case.call(capability, {**params, "cursor": first.answer.next_cursor})
    is_other = second.answer is not None and second.answer.data != first.answer.data
    return judge(is_other, "The cursor leads on.", "The cursor led to the same page. Honour params.cursor.")


@version_check("contract", weight=2)
def unknown_capability_refused(case: Case) -> Finding:
    """A capability that doesn't exist is refused."""
    unknown = {"name": "no_such_capability", "mode": "state"}
    if not any(item["mode"] in CALLED_MODES for item in case.capabilities):
        return not_applicable("No capability of this package is called.")
    sample = case.call(unknown, {})
    return judge(
        sample.is_refused,
        "An unknown capability is refused.",
        'Answer 404 with {"status": "error", "error": {"code": "unknown_capability"}} for unknown names.',
    )


@capability_check("contract", weight=2, modes=CALLED_MODES)
def bad_params_refused(case: Case, capability: Descriptor) -> Finding:
    """Params that break the input schema are refused."""
    wrong = wrong_params(capability, case.params_of(capability)[0])
    if wrong is None:
        return not_applicable("The capability takes any params.")
    key = f"{case.idempotency_key(capability)}-wrong" if capability["mode"] == "action" else None
    sample = case.call(capability, wrong, idempotency_key=key)
    return judge(
        sample.is_refused,
        "Wrong params are refused.",
        'Answer 400 with {"status": "error", "error": {"code": "invalid_params"}} for params out of the schema.',
        "/schema/input",
    )


@capability_check("contract", weight=1, modes=CALLED_MODES)
def expired_auth_refused(case: Case, capability: Descriptor) -> Finding:
    """An access token that is no good is refused."""
    if (case.runtime_app.auth_profile or {}).get("strategy") != OAUTH2:
        return not_applicable("The capability needs no access token.")
    key = f"{case.idempotency_key(capability)}-expired" if capability["mode"] == "action" else None
    sample = case.call(
        capability,
        case.params_of(capability)[0],
        access_token=Secret("expired-access-token"),
        idempotency_key=key,
    )
    return judge(
        sample.is_refused,
        "A bad access token is refused.",
        'Answer 401 with {"status": "error", "error": {"code": "token_expired"}} for tokens that are no good.',
    )


def wrong_params(capability: Descriptor, good: dict[str, Any]) -> dict[str, Any] | None:
    """Return params that the input schema refuses, None where it takes everything that was tried."""
    schema = input_schema(capability)
    names = [*schema.get("properties", {}), "unexpected_param"]
    for name in names:
        for value in WRONG_VALUES:
            candidate = {**good, name: value}
            if validate(schema, candidate):
                return candidate
    return {} if validate(schema, {}) else None
