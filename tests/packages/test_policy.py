"""Gates: the registry that rooms upstairs extend, and the same list everywhere."""

from collections.abc import Iterator

import pytest

from aiffinity.lib.errors import GateNotPassed
from packages import policy
from packages.policy import GateCase, evaluate_gates, register_gate, require_gates
from tests.packages.conftest import Maker

NAMES = [
    "account_verified",
    "account_not_suspended",
    "app_active",
    "app_healthy",
    "validation_passed",
    "validation_fresh",
    "risk_tier_sufficient",
    "listing_complete",
    "breaking_drift_is_major",
    "no_version_in_review",
    "certified",
    "attestations_signed",
    "curation_granted",
]


@pytest.fixture
def extra_gate() -> Iterator[str]:
    """A gate that a room upstairs registered and that never passes."""

    @register_gate("sandbox_evidence", "The scenarios pass.")
    def never(case: GateCase) -> str | None:
        return f"{case.package.name} has no scenario."

    yield "sandbox_evidence"
    policy._GATES.pop("sandbox_evidence")


def test_validated_version_passes_every_gate_with_a_message_for_each(acme: Maker) -> None:
    results = evaluate_gates(acme.version("validated"))
    assert [result.name for result in results] == NAMES
    assert all(result.passed and result.message for result in results)


def test_gate_of_another_room_is_listed_and_holds_the_version_back(acme: Maker, extra_gate: str) -> None:
    version = acme.version("validated")
    assert evaluate_gates(version)[-1].as_dict() == {
        "name": extra_gate,
        "passed": False,
        "message": "Acme Weather has no scenario.",
    }
    with pytest.raises(GateNotPassed) as refused:
        require_gates(version)
    assert [detail.code for detail in refused.value.details] == [extra_gate]


def test_gates_of_a_version_take_few_queries(acme: Maker, django_assert_max_num_queries: object) -> None:
    version = acme.version("validated", package=acme.version("listed").package)
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        evaluate_gates(version)
