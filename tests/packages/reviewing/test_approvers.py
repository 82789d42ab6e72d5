"""Whose approvals a tier needs: every combination of reviewers, and what is still missing."""

from collections.abc import Callable
from itertools import permutations

import pytest

from aiffinity.lib.errors import InvalidState, PermissionDenied
from packages.models import ReviewDecision
from packages.reviewing.approvers import TIER_SLOTS, Approval, approvals_missing, unfilled
from packages.reviewing.claims import claim_review
from providers.models import User
from tests.packages.conftest import Maker
from tests.packages.reviewing.cases import approve_as, claim_and_approve, claimed, grant, state_of, submitted

MakeReviewer = Callable[..., User]
PLAIN, SECURITY, ARCHITECTURE, BOTH = (False, False), (True, False), (False, True), (True, True)


@pytest.mark.parametrize(
    ("tier", "reviewers", "missing"),
    [
        ("data_only", [PLAIN], []),
        ("action_capable", [], ["any"]),
        ("action_capable", [ARCHITECTURE], []),
        ("high_trust", [], ["security", "any"]),
        ("high_trust", [PLAIN], ["security"]),
        ("high_trust", [SECURITY], ["any"]),
        ("high_trust", [PLAIN, ARCHITECTURE], ["security"]),
        ("high_trust", [PLAIN, SECURITY], []),
        ("high_trust", [SECURITY, SECURITY], []),
        ("strategic_surface", [SECURITY], ["architecture"]),
        ("strategic_surface", [BOTH], ["architecture"]),
        ("strategic_surface", [BOTH, PLAIN], ["architecture"]),
        ("strategic_surface", [BOTH, SECURITY], []),
        ("strategic_surface", [ARCHITECTURE, BOTH], []),
        ("strategic_surface", [ARCHITECTURE, SECURITY], []),
        ("strategic_surface", [SECURITY, SECURITY], ["architecture"]),
    ],
)
def test_what_is_missing_whatever_the_order(tier: str, reviewers: list[tuple[bool, bool]], missing: list[str]) -> None:
    approvals = [Approval(f"uid_{index}", *weight) for index, weight in enumerate(reviewers)]
    for order in permutations(approvals):
        assert len(unfilled(TIER_SLOTS[tier], order)) == len(missing)
    assert unfilled(TIER_SLOTS[tier], approvals) == missing


def test_high_trust_needs_a_security_reviewer_and_another(acme: Maker, make_reviewer: MakeReviewer) -> None:
    acme.subscribe()
    plain, security = make_reviewer(), make_reviewer("security_reviewer")
    review = claimed(acme, plain, "high_trust")
    assert approvals_missing(review) == ["a security reviewer", "another reviewer"]
    first = approve_as(review, plain)
    assert approvals_missing(first) == ["a security reviewer"]
    assert (state_of(review), first.claimed_by, first.closed_at) == ("in_review", None, None)
    assert acme.events() == []
    done = claim_and_approve(review, security)
    assert (state_of(review), done.outcome) == ("approved", "approved")
    assert acme.events() == ["package.approved"]
    weights = ReviewDecision.objects.order_by("pk").values_list("is_security", "is_architecture")
    assert list(weights) == [(False, False), (True, False)]


def test_nobody_approves_twice(acme: Maker, make_reviewer: MakeReviewer) -> None:
    security = make_reviewer("security_reviewer", is_superuser=True)
    review = claimed(acme, security, "high_trust")
    approve_as(review, security)
    claim_review(review, reviewer=security)
    with pytest.raises(InvalidState, match="approved this already"):
        approve_as(review, security)
    assert (state_of(review), ReviewDecision.objects.count()) == ("in_review", 1)


def test_approval_of_the_wrong_group_is_refused(acme: Maker, make_reviewer: MakeReviewer) -> None:
    review = submitted(acme, "strategic_surface")
    grant(review.version, make_reviewer("curator"))
    with pytest.raises(PermissionDenied, match="a security reviewer and an architecture reviewer"):
        claim_and_approve(review, make_reviewer())
    assert not ReviewDecision.objects.exists()


def test_strategic_surface_needs_security_and_architecture(acme: Maker, make_reviewer: MakeReviewer) -> None:
    review = submitted(acme, "strategic_surface")
    grant(review.version, make_reviewer("curator"))
    claim_and_approve(review, make_reviewer("architecture_reviewer"))
    assert state_of(review) == "in_review"
    claim_and_approve(review, make_reviewer("security_reviewer"))
    assert state_of(review) == "approved"


def test_changed_configuration_resets_the_approvals(acme: Maker, make_reviewer: MakeReviewer) -> None:
    security, plain = make_reviewer("security_reviewer"), make_reviewer()
    review = claimed(acme, security, "high_trust")
    approve_as(review, security)
    acme.set_runtime(config_hash="another")
    assert approvals_missing(review) == ["a security reviewer", "another reviewer"]
    claim_and_approve(review, plain)
    assert state_of(review) == "in_review"
    claim_and_approve(review, security)
    assert state_of(review) == "approved"
