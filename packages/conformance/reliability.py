"""Dimension reliability: healthy, steady under repetition, acting once, in time (spec 3)."""

from typing import Any

from packages.conformance.case import SEQUENTIAL_SAMPLES, Case
from packages.conformance.registry import (
    CALLED_MODES,
    READ_MODES,
    Finding,
    capability_check,
    failed,
    judge,
    not_applicable,
    passed,
    version_check,
)
from runtime.health.looking import is_called_unhealthy

Descriptor = dict[str, Any]


@version_check("reliability", weight=3)
def health_endpoint_conforms(case: Case) -> Finding:
    """The health endpoint answers 200 with status ok."""
    if not case.runtime_app.health_check_url:
        return failed("Give the runtime app a health_check_url: every app must expose one.")
    seen = case.health()
    return judge(seen.is_healthy, "The health endpoint answers as it should.", f"{seen.error} Mend the endpoint.")


@capability_check("reliability", weight=2, modes=READ_MODES)
def repeated_calls_succeed(case: Case, capability: Descriptor) -> Finding:
    """Calls one after the other all succeed."""
    return _all_succeed(case, capability, slice(None, SEQUENTIAL_SAMPLES), "one after the other")


@capability_check("reliability", weight=2, modes=READ_MODES)
def concurrent_calls_succeed(case: Case, capability: Descriptor) -> Finding:
    """Calls at the same time all succeed."""
    return _all_succeed(case, capability, slice(SEQUENTIAL_SAMPLES, None), "at the same time")


@capability_check("reliability", weight=2, modes=CALLED_MODES)
def answers_before_deadline(case: Case, capability: Descriptor) -> Finding:
    """No call runs into the deadline."""
    samples = case.samples_of(capability)
    if not samples:
        return failed("No call was made in time.")
    late = sum(sample.is_timeout for sample in samples)
    return judge(
        late == 0,
        "Every call was answered before the deadline.",
        f"{late} of {len(samples)} calls ran into the deadline. Answer `pending`, or faster.",
    )


@capability_check("reliability", weight=3, modes=("action",))
def duplicate_action_acts_once(case: Case, capability: Descriptor) -> Finding:
    """A second call with the same idempotency key doesn't act again."""
    first = next(iter(case.samples_of(capability)), None)
    if first is None or first.answer is None or not first.is_ok:
        return failed("The action did not succeed once, so it could not be repeated.")
    again = case.call(capability, first.params, idempotency_key=case.idempotency_key(capability))
    if again.answer is None or not again.is_ok:
        return failed(f"The repeated call failed. {again.problem} Answer what the first call answered.")
    if not first.answer.data:
        return not_applicable("The action answers nothing that could tell one result from another.")
    if again.answer.data != first.answer.data:
        return failed("The same Idempotency-Key acted twice. Answer the first result again.")
    return passed("A repeated call acts once.")


@version_check("reliability", weight=1)
def health_names_every_capability(case: Case) -> Finding:
    """The health body names every capability that is called, and none of them as unhealthy."""
    if not case.runtime_app.health_check_url:
        return failed("Give the runtime app a health_check_url: every app must expose one.")
    said = case.health().runtime_app.capability_health
    called = {item["name"] for item in case.capabilities if item["mode"] in CALLED_MODES}
    unhealthy = sorted(name for name in called if is_called_unhealthy(said, name))
    if unhealthy:
        return failed(f"The health body says that {', '.join(unhealthy)} is unhealthy. Mend it and validate again.")
    missing = sorted(called - set(said))
    return judge(
        not missing,
        "The health body names every capability, and none as unhealthy.",
        f"The health body's `capabilities` leaves out {', '.join(missing)}. Name each: one that is unhealthy is"
        " then suspended alone, and not the whole app.",
    )


@capability_check("reliability", weight=1, modes=READ_MODES)
def answers_again_after_a_refusal(case: Case, capability: Descriptor) -> Finding:
    """A good call right after one that had to be refused succeeds."""
    case.call(capability, {"__unknown__": [None]}, timestamp=0)
    after = case.call(capability, case.params_of(capability)[0])
    return judge(
        after.is_ok,
        "A good call after a refused one succeeds.",
        f"A good call right after a refused one failed. {after.problem} A refusal must not leave anything behind.",
    )


def _all_succeed(case: Case, capability: Descriptor, part: slice, how: str) -> Finding:
    samples = case.samples_of(capability)[part]
    if not samples:
        return failed(f"No call was made {how} in time.")
    bad = [sample for sample in samples if not sample.is_ok]
    return judge(
        not bad,
        f"{len(samples)} calls {how} succeeded.",
        f"{len(bad)} of {len(samples)} calls {how} failed. {bad[0].problem if bad else ''}",
    )
