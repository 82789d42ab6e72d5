"""What keeps a reviewer from deciding is said before they try, and the queue passes them by."""

from collections.abc import Callable

from packages.models import Review, ReviewDecision
from tests.packages.conftest import Maker
from tests.packages.console.conftest import REVIEWS, Desk, review_of

MakeDesk = Callable[..., Desk]
APPROVE = "/act/approve/"


def page_of(staff: Desk, review: Review) -> str:
    """Open a review's page."""
    return staff.get(f"{REVIEWS}/{review.pk}/change/")


def approve_as_row(review: Review, staff: Desk, config_hash: str) -> None:
    """Write an approval of what the version holds now."""
    ReviewDecision.objects.create(
        review=review,
        reviewer=staff.user,
        decision="approve",
        content_hash=review.version.content_hash,
        config_hash=config_hash,
    )


def test_who_has_approved_sees_whose_approval_is_missing_and_no_button(acme: Maker, desk: MakeDesk) -> None:
    review, rita = review_of(acme.version("in_review", risk_tier="high_trust")), desk()
    approve_as_row(review, rita, acme.config_hash)
    page = page_of(rita, review)
    assert "You have approved this already" in page
    assert APPROVE not in page
    queue = rita.get(f"{REVIEWS}/queue/high_trust/")
    assert "You approved" in queue
    assert "a security reviewer" in queue
    assert APPROVE in page_of_holder(review, desk("security_reviewer"))


def page_of_holder(review: Review, staff: Desk) -> str:
    """Claim a review and return its page."""
    staff.act(review, "claim")
    return page_of(staff, review)


def test_approval_that_no_slot_wants_is_not_offered(acme: Maker, desk: MakeDesk) -> None:
    review, rita = review_of(acme.version("submitted", risk_tier="strategic_surface")), desk()
    page = page_of_holder(review, rita)
    assert "needs the approval of a security reviewer and an architecture reviewer" in page
    assert APPROVE not in page
    assert "/act/request_changes/" in page


def test_own_submission_can_not_be_claimed(acme: Maker, desk: MakeDesk) -> None:
    review, rita = review_of(acme.version("submitted", risk_tier="action_capable")), desk()
    acme.set_account(email=rita.user.email)
    page = page_of(rita, review)
    assert "Nobody decides on what they or their own account submitted." in page
    assert "/act/claim/" not in page
    assert "Claim the review first" not in page


def test_next_review_is_one_that_the_reviewer_can_bring_further(acme: Maker, desk: MakeDesk) -> None:
    rita = desk()
    done, open_one, other = (
        review_of(acme.version("submitted", risk_tier="high_trust", name=name)) for name in ("Done", "Open", "Other")
    )
    approve_as_row(done, rita, acme.config_hash)
    Review.objects.filter(pk=done.pk).update(due_at=open_one.first_submitted_at)
    assert "Next in the queue: Open" in page_of(rita, other)
    assert "Next: Open" in rita.get("/admin/")


def test_group_that_only_looks_gets_no_actions(acme: Maker, desk: MakeDesk) -> None:
    review = review_of(acme.version("submitted", risk_tier="action_capable"))
    page = page_of(desk("curator"), review)
    assert "Only staff in a group of reviewers decides on versions." in page
    assert "/act/" not in page
