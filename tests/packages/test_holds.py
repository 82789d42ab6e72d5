"""Every state tells its provider why a version is held, what to do, and until when."""

from datetime import timedelta

import pytest
from django.utils import timezone

from packages.models import Package, PolicyReason, Review, Version
from packages.reviewing.cases import open_review
from packages.reviewing.claims import claim_review
from packages.reviewing.decisions import reject, request_changes
from packages.suspension import suspend_package, suspend_version
from tests.packages.conftest import Maker, as_reviewer

DAY = timedelta(days=1)


def hold_of(acme: Maker, version: Version):
    """Return what the API says of a version's hold."""
    return acme("GET", f"/{version.package_id}/versions/{version.pk}").json()["data"]["hold"]


def decided(acme: Maker, reviewer, decide) -> Version:
    """Have a version decided on with a reason and a comment."""
    version = acme.version("submitted", risk_tier="action_capable")
    policy_reason, _ = PolicyReason.objects.get_or_create(
        code="tested", defaults={"title": "Tested", "text": "Do it otherwise."}
    )
    case = claim_review(Review.objects.get(version=version), reviewer=reviewer)
    decide(case, reviewer=reviewer, reasons=[policy_reason], comment="The unit is missing.")
    return version


@pytest.mark.parametrize(
    ("state", "why", "what"),
    [
        ("draft", "draft", "Validate it"),
        ("validated", "policy gates don't pass", "health"),
        ("submitted", "waits for a reviewer", "withdraw"),
        ("changes_requested", "asks for changes", "/reply"),
        ("rejected", "rejected", "new version"),
        ("approved", "policy gates don't pass", "health"),
        ("superseded", "another version was listed", "/rollback"),
        ("suspended", "You suspended it", "/resume"),
    ],
)
def test_every_state_says_why_and_what_to_do(acme: Maker, state: str, why: str, what: str) -> None:
    acme.set_runtime(health_status="degraded")
    hold = hold_of(acme, acme.version(state, risk_tier="action_capable"))
    assert why in hold["why"]
    assert what in hold["what_to_do"].lower() or what in hold["what_to_do"]
    assert set(hold) == {"why", "what_to_do", "until", "reasons", "comment"}


def test_case_before_reviewers_says_until_when_a_decision_is_due(acme: Maker) -> None:
    version = acme.version("submitted", risk_tier="action_capable")
    due_at = Review.objects.get(version=version).due_at
    assert hold_of(acme, version)["until"] == due_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_approval_says_when_it_lapses(acme: Maker) -> None:
    acme.set_runtime(health_status="healthy", health_checked_at=timezone.now())
    version = acme.version("approved", risk_tier="action_capable")
    approved_at = Version.objects.get(pk=version.pk).approved_at
    assert approved_at is not None
    lapses_at = approved_at + 30 * DAY
    assert hold_of(acme, version)["until"] == lapses_at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("decide", [request_changes, reject])
def test_decision_is_quoted_with_its_reasons(acme: Maker, make_reviewer, decide) -> None:
    hold = hold_of(acme, decided(acme, make_reviewer(), decide))
    assert [each["code"] for each in hold["reasons"]] == ["tested"]
    assert hold["comment"] == "The unit is missing."


def test_listed_version_that_runs_is_held_by_nothing(acme: Maker) -> None:
    acme.set_runtime(health_status="healthy", health_checked_at=timezone.now())
    assert hold_of(acme, acme.version("listed")) is None


def test_listed_version_under_re_review_says_its_cause(acme: Maker) -> None:
    acme.set_runtime(health_status="healthy", health_checked_at=timezone.now())
    version = acme.version("listed", risk_tier="action_capable")
    open_review(version, kind="re_review", cause="runtime_url leads elsewhere")
    hold = hold_of(acme, version)
    assert "runtime_url leads elsewhere" in hold["why"]
    assert hold["until"] is not None


def test_suspensions_by_staff_quote_their_reason(acme: Maker, make_reviewer) -> None:
    rita, version = make_reviewer(), acme.version("listed")
    suspend_version(version, as_reviewer(rita, reason="It leaks"))
    hold = hold_of(acme, version)
    assert "The platform suspended it" in hold["why"]
    assert hold["comment"] == "It leaks"
    suspend_package(Package.objects.get(pk=version.package_id), as_reviewer(rita, reason="All of it"))
    hold = hold_of(acme, version)
    assert "suspended the package" in hold["why"]
    assert hold["comment"] == "All of it"
