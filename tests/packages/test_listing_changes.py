"""A changed name or image waits for a reviewer above data_only; other fields and data_only change at once."""

from collections.abc import Callable
from typing import Any

import pytest

from packages.models import Package, Review, Version
from packages.reviewing.claims import claim_review
from packages.reviewing.decisions import reject
from providers.models import User
from tests.packages.conftest import Maker
from tests.packages.reviewing.cases import approve_as, claim_and_approve, claimed, reasons, sent_mails

MakeReviewer = Callable[..., User]
IMAGES = ["https://acmeweather.com/new.png"]


def patch(acme: Maker, version: Version, **fields: Any) -> dict[str, Any]:
    response = acme("PATCH", f"/{version.package_id}", fields)
    assert response.status_code == 200, response.content
    data: dict[str, Any] = response.json()["data"]
    return data


@pytest.mark.parametrize("state", ["listed", "suspended", "superseded"])
def test_name_and_images_wait_while_the_rest_changes_at_once(acme: Maker, state: str) -> None:
    version = acme.version(state, risk_tier="action_capable")
    shown = patch(acme, version, name="Acme Bank", images=IMAGES, description="Another text")
    assert (shown["name"], shown["images"], shown["description"]) == ("Acme Weather", [], "Another text")
    assert shown["pending_listing"] == {"name": "Acme Bank", "images": IMAGES}
    review = Review.objects.open().get()
    assert (review.version, review.kind, review.cause) == (
        version,
        "listing_change",
        "The provider changed the listing's images and name.",
    )
    assert Version.objects.get(pk=version.pk).state == state


def test_data_only_changes_at_once(acme: Maker) -> None:
    assert patch(acme, acme.version("listed"), name="Acme Rain")["name"] == "Acme Rain"
    assert not Review.objects.exists()


def test_approval_shows_what_waited(acme: Maker, make_reviewer: MakeReviewer) -> None:
    version = acme.version("listed", risk_tier="action_capable")
    patch(acme, version, name="Acme Rain")
    claim_and_approve(Review.objects.open().get(), make_reviewer())
    package = Package.objects.get(pk=version.package_id)
    assert (package.name, package.pending_listing) == ("Acme Rain", {})
    assert Version.objects.get(pk=version.pk).state == "listed"


def test_rejection_drops_what_waited_and_the_version_stays_listed(acme: Maker, make_reviewer: MakeReviewer) -> None:
    version, reviewer = acme.version("listed", risk_tier="action_capable"), make_reviewer()
    patch(acme, version, name="Acme Bank")
    review = claim_review(Review.objects.open().get(), reviewer=reviewer)
    reject(review, reviewer=reviewer, reasons=reasons("listing_misleading"), comment="You are no bank")
    package = Package.objects.get(pk=version.package_id)
    assert (package.name, package.pending_listing) == ("Acme Weather", {})
    assert Version.objects.get(pk=version.pk).state == "listed"
    assert "The listing stays as it was" in sent_mails()[-1].body


def test_changing_it_again_begins_the_review_anew(acme: Maker, make_reviewer: MakeReviewer) -> None:
    version = acme.version("listed", risk_tier="action_capable")
    patch(acme, version, name="Acme Rain")
    first = claim_review(Review.objects.open().get(), reviewer=make_reviewer())
    patch(acme, version, name="Acme Bank")
    second = Review.objects.open().get()
    assert (second.claimed_by, second.first_submitted_at) == (None, first.first_submitted_at)
    assert Review.objects.get(pk=first.pk).outcome == "withdrawn"


def test_changing_it_back_ends_the_review(acme: Maker) -> None:
    version = acme.version("listed", risk_tier="action_capable")
    patch(acme, version, name="Acme Rain")
    assert patch(acme, version, name="Acme Weather")["pending_listing"] == {}
    assert not Review.objects.open().exists()


def test_repeating_it_changes_nothing(acme: Maker, make_reviewer: MakeReviewer) -> None:
    version = acme.version("listed", risk_tier="action_capable")
    patch(acme, version, name="Acme Rain")
    claim_review(Review.objects.open().get(), reviewer=make_reviewer())
    patch(acme, version, name="Acme Rain")
    assert Review.objects.open().get().is_claimed


def test_name_changed_under_a_reviewers_eyes_takes_their_claim(acme: Maker, make_reviewer: MakeReviewer) -> None:
    review = claimed(acme, make_reviewer())
    patch(acme, review.version, description="Another text")
    assert Review.objects.open().get().is_claimed
    assert patch(acme, review.version, name="Acme Bank")["name"] == "Acme Bank"
    renewed = Review.objects.open().get()
    assert (renewed.pk != review.pk, renewed.claimed_by, renewed.due_at) == (True, None, review.due_at)
    assert Version.objects.get().state == "submitted"


def test_name_changed_after_the_approval_takes_the_approval(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    approve_as(review, reviewer)
    patch(acme, review.version, name="Acme Bank")
    assert Version.objects.get().state == "draft"
