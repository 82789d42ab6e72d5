"""Claims: who may, for how long, and what happens when they end."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from aiffinity.lib.errors import InvalidState, PermissionDenied
from packages.models import Review, Version
from packages.reviewing.claims import claim_review, release_claim, release_expired_claims
from packages.reviewing.decisions import request_changes
from providers.models import User
from tests.packages.conftest import Maker
from tests.packages.reviewing.cases import approve_as, claimed, reasons, state_of, submitted

MakeReviewer = Callable[..., User]


@pytest.mark.parametrize("relation", ["owner", "submitter", "mail address", "owner's mail address"])
def test_nobody_claims_their_own_not_even_a_superuser(acme: Maker, make_reviewer: MakeReviewer, relation: str) -> None:
    insider = make_reviewer(is_superuser=True)
    review = submitted(acme)
    if relation == "owner":
        acme.account.owner = insider
        acme.account.save()
    if relation == "submitter":
        Version.objects.filter(pk=review.version_id).update(submitted_by=insider)
    if relation == "mail address":
        acme.set_account(email=(insider.email or "").upper())
    if relation == "owner's mail address":
        User.objects.filter(pk=insider.pk).update(email="Dev@Example.com")
        User.objects.filter(pk=acme.account.owner_id).update(email="dev@example.com")
        insider = User.objects.get(pk=insider.pk)
    with pytest.raises(PermissionDenied):
        claim_review(review, reviewer=insider)
    assert state_of(review) == "submitted"
    assert Review.objects.get(pk=review.pk).claimed_by is None


@pytest.mark.parametrize("group", ["curator", "ops"])
def test_other_staff_does_not_claim(acme: Maker, make_reviewer: MakeReviewer, group: str) -> None:
    with pytest.raises(PermissionDenied):
        claim_review(submitted(acme), reviewer=make_reviewer(group))


@pytest.mark.parametrize("missing", ["is_staff", "is_active"])
def test_who_lost_the_staff_flag_or_is_disabled_does_not_claim(
    acme: Maker, make_reviewer: MakeReviewer, missing: str
) -> None:
    reviewer = make_reviewer()
    User.objects.filter(pk=reviewer.pk).update(**{missing: False})
    with pytest.raises(PermissionDenied):
        claim_review(submitted(acme), reviewer=User.objects.get(pk=reviewer.pk))


def test_claim_lasts_30_minutes_and_claiming_again_extends_it(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    assert state_of(review) == "in_review"
    Review.objects.update(claim_expires_at=timezone.now() + timedelta(minutes=1))
    again = claim_review(review, reviewer=reviewer)
    assert again.claim_expires_at is not None
    assert again.claim_expires_at - timezone.now() > timedelta(minutes=29)
    with pytest.raises(InvalidState, match="Another reviewer holds the claim"):
        claim_review(review, reviewer=make_reviewer())


def test_expired_claim_frees_the_case_and_the_version_goes_back(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    assert release_expired_claims() == 0
    Review.objects.update(claim_expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(InvalidState, match="has expired"):
        approve_as(review, reviewer)
    assert release_expired_claims() == 1
    assert release_expired_claims() == 0
    assert (state_of(review), Review.objects.get(pk=review.pk).claimed_by) == ("submitted", None)


def test_expired_claim_can_be_taken_over_before_the_sweep(acme: Maker, make_reviewer: MakeReviewer) -> None:
    review, other = claimed(acme, make_reviewer()), make_reviewer()
    Review.objects.update(claim_expires_at=timezone.now() - timedelta(seconds=1))
    assert claim_review(review, reviewer=other).claimed_by == other
    assert release_expired_claims() == 0


def test_partial_approval_keeps_the_version_in_review_when_the_next_claim_ends(
    acme: Maker, make_reviewer: MakeReviewer
) -> None:
    first = make_reviewer("security_reviewer")
    review = claimed(acme, first, "high_trust")
    approve_as(review, first)
    assert state_of(review) == "in_review"
    second = make_reviewer()
    release_claim(claim_review(review, reviewer=second), reviewer=second)
    assert state_of(review) == "in_review"


def test_only_the_holder_releases(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    with pytest.raises(InvalidState, match="don't hold"):
        release_claim(review, reviewer=make_reviewer())
    assert release_claim(review, reviewer=reviewer).claimed_by is None
    assert state_of(review) == "submitted"


def test_case_that_waits_for_the_provider_is_not_claimed(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    request_changes(review, reviewer=reviewer, reasons=reasons(), comment="")
    with pytest.raises(InvalidState, match="waits for the provider"):
        claim_review(review, reviewer=reviewer)
