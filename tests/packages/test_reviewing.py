"""Claims and decisions: who may, what an approval binds, what follows."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from aiffinity.lib.errors import GateNotPassed, InvalidState, PermissionDenied
from packages.guards import Attempt
from packages.models import Review, ReviewDecision, Version
from packages.reviewing import (
    approve_version,
    claim_version,
    reject_version,
    release_expired_claims,
    release_version,
    request_changes,
)
from providers.models import User
from tests.packages.conftest import Maker, as_reviewer

MakeReviewer = Callable[..., User]


def claimed(acme: Maker, reviewer: User, tier: str = "action_capable", **fields: Any) -> Version:
    """Return a version that the reviewer has claimed."""
    return claim_version(acme.version("submitted", risk_tier=tier, **fields), as_reviewer(reviewer))


def test_approval_binds_what_was_seen_and_the_provider_publishes(acme: Maker, make_reviewer: MakeReviewer) -> None:
    acme.subscribe()
    reviewer = make_reviewer()
    version = claimed(acme, reviewer)
    approved = approve_version(version, as_reviewer(reviewer, version, reason="Good work"))
    assert approved.state == "approved"
    assert (approved.approved_content_hash, approved.approved_config_hash) == (version.content_hash, acme.config_hash)
    decision = ReviewDecision.objects.get(review__version=version)
    assert (decision.decision, decision.reviewer, decision.comment) == ("approve", reviewer, "Good work")
    assert (decision.content_hash, decision.config_hash) == (version.content_hash, acme.config_hash)
    assert Review.objects.get(version=version).closed_at is not None
    assert acme.events() == ["package.approved"]


def test_publish_on_approval_lists_at_once(acme: Maker, make_reviewer: MakeReviewer) -> None:
    acme.subscribe()
    reviewer = make_reviewer()
    version = claimed(acme, reviewer, publish_on_approval=True)
    assert approve_version(version, as_reviewer(reviewer, version)).state == "listed"
    assert acme.events() == ["package.approved", "package.published"]


@pytest.mark.parametrize("what", ["content", "configuration"])
def test_approval_of_what_changed_meanwhile_is_refused(acme: Maker, make_reviewer: MakeReviewer, what: str) -> None:
    reviewer = make_reviewer()
    version = claimed(acme, reviewer)
    seen = as_reviewer(reviewer, version)
    if what == "content":
        seen = Attempt(**{**vars(seen), "seen_content_hash": "0" * 64})
    else:
        acme.set_runtime(config_hash="another")
    with pytest.raises(InvalidState, match="changed since you looked"):
        approve_version(version, seen)
    assert Version.objects.get(pk=version.pk).state == "in_review"


@pytest.mark.parametrize("tier", ["high_trust", "strategic_surface"])
def test_nothing_above_action_capable_is_approved_by_one_reviewer(
    acme: Maker, make_reviewer: MakeReviewer, tier: str
) -> None:
    reviewer = make_reviewer("security_reviewer", is_superuser=True)
    version = claimed(acme, reviewer, tier)
    with pytest.raises(GateNotPassed):
        approve_version(version, as_reviewer(reviewer, version))
    assert Version.objects.get(pk=version.pk).state == "in_review"
    assert not ReviewDecision.objects.exists()


@pytest.mark.parametrize("relation", ["owner", "submitter", "mail address"])
def test_nobody_decides_on_their_own_not_even_a_superuser(
    acme: Maker, make_reviewer: MakeReviewer, relation: str
) -> None:
    insider = make_reviewer(is_superuser=True)
    if relation == "owner":
        acme.account.owner = insider
        acme.account.save()
    version = acme.version("submitted", risk_tier="action_capable")
    if relation == "submitter":
        Version.objects.filter(pk=version.pk).update(submitted_by=insider)
    if relation == "mail address":
        acme.set_account(email=(insider.email or "").upper())
    with pytest.raises(PermissionDenied):
        claim_version(version, as_reviewer(insider))
    assert Version.objects.get(pk=version.pk).state == "submitted"


@pytest.mark.parametrize("group", ["curator", "ops"])
def test_other_staff_does_not_decide(acme: Maker, make_reviewer: MakeReviewer, group: str) -> None:
    with pytest.raises(PermissionDenied):
        claim_version(acme.version("submitted", risk_tier="action_capable"), as_reviewer(make_reviewer(group)))


def test_user_with_the_permission_who_is_no_staff_does_not_decide(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    User.objects.filter(pk=reviewer.pk).update(is_staff=False)
    with pytest.raises(PermissionDenied):
        claim_version(
            acme.version("submitted", risk_tier="action_capable"), as_reviewer(User.objects.get(pk=reviewer.pk))
        )


def test_only_the_holder_of_the_claim_decides(acme: Maker, make_reviewer: MakeReviewer) -> None:
    version, other = claimed(acme, make_reviewer()), make_reviewer()
    for decide in (approve_version, request_changes, reject_version):
        with pytest.raises(InvalidState, match="Another reviewer holds the claim"):
            decide(version, as_reviewer(other, version))
    assert not ReviewDecision.objects.exists()


def test_claim_expires_after_30_minutes_and_the_version_goes_back(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    version = claimed(acme, reviewer)
    assert release_expired_claims() == 0
    Review.objects.update(claim_expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(InvalidState, match="has expired"):
        approve_version(version, as_reviewer(reviewer, version))
    assert release_expired_claims() == 1
    review = Review.objects.get(version=version)
    assert (Version.objects.get(pk=version.pk).state, review.claimed_by) == ("submitted", None)
    assert claim_version(version, as_reviewer(make_reviewer())).state == "in_review"


def test_release_puts_the_version_back(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    assert release_version(claimed(acme, reviewer), as_reviewer(reviewer)).state == "submitted"


def test_requested_changes_keep_the_case_open_and_tell_the_provider(acme: Maker, make_reviewer: MakeReviewer) -> None:
    acme.subscribe()
    reviewer = make_reviewer()
    version = claimed(acme, reviewer)
    assert (
        request_changes(version, as_reviewer(reviewer, version, reason="Name the units")).state == "changes_requested"
    )
    assert Review.objects.get(version=version).closed_at is None
    assert acme.events() == ["package.changes_requested"]


def test_rejection_is_final(acme: Maker, make_reviewer: MakeReviewer) -> None:
    acme.subscribe()
    reviewer = make_reviewer()
    version = claimed(acme, reviewer)
    assert reject_version(version, as_reviewer(reviewer, version, reason="Spam")).state == "rejected"
    assert Review.objects.get(version=version).closed_at is not None
    assert acme.events() == ["package.rejected"]
