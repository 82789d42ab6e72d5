"""The review console in a real browser: a version from its queue to its listing, with two approvers."""

import pytest
from django.core import mail

from aiffinity.lib.mail_delivery import send_due
from packages.models import Review, Version, VersionState
from tests.flows.console_world import fill_queue, validated_successor

pytestmark = pytest.mark.django_db(transaction=True)

QUEUES = "/admin/packages/review/queue"
QUESTION = "Why is the precise location needed?"
ANSWER = "The rain radar needs it; the field's description says so now."


def test_a_high_trust_version_from_its_queue_to_its_listing(open_window, make_staff, maker):
    acme, sam = maker(), make_staff("sam@aiffinity.me", "security_reviewer")
    version = validated_successor(acme)
    path = f"/{version.package_id}/versions/{version.pk}"
    assert acme("POST", f"{path}/submit").status_code == 200
    review = Review.objects.get(version=version)
    fill_queue(maker, sam)

    first = open_window()
    first.log_in(make_staff("rita@aiffinity.me", "reviewer"))
    look_at_queues(first)
    claim_and_read_drift(first)
    request_changes(first)
    assert state_of(version) == VersionState.CHANGES_REQUESTED
    send_due()
    assert QUESTION in str(mail.outbox[-1].body)

    assert acme("POST", f"{path}/reviews/{review.pk}/reply", {"message": ANSWER}).status_code == 201
    assert state_of(version) == VersionState.SUBMITTED
    approve(first, review, "The reason is good.")
    assert ANSWER in first.page.locator("#thread").inner_text()
    assert "a security reviewer" in first.page.locator(".facts").inner_text()
    assert state_of(version) == VersionState.IN_REVIEW

    second = open_window()
    second.log_in(sam)
    approve(second, review, "")
    second.picture("console-published")
    assert state_of(version) == VersionState.LISTED
    for window in (first, second):
        assert (window.foreign, window.refused, window.dialogs) == ([], [], [])


def look_at_queues(window):
    """Start where a reviewer starts, and look at the fullest queue."""
    window.picture("console-start")
    window.open(f"{QUEUES}/action_capable/")
    rows = window.page.locator("tr[data-row]")
    assert "Harbour Tides" in rows.nth(0).inner_text()
    assert "overdue by" in rows.nth(0).inner_text()
    assert "sam@aiffinity.me" in rows.nth(2).inner_text()
    window.picture("console-queue")


def claim_and_read_drift(window):
    """Open the high_trust queue's only case, claim it by its shortcut and read what changed."""
    page = window.page
    window.open(f"{QUEUES}/high_trust/")
    page.get_by_role("link", name="Storm Desk").click()
    page.get_by_role("heading", name="Decide").wait_for()
    page.keyboard.press("c")
    page.get_by_text("You hold this review for 30 minutes.").wait_for()
    drift = page.locator("#drift").inner_text()
    assert "The property humidity_pct was removed." in drift
    assert "The capability create_task was added." in drift
    window.picture("console-review")
    page.locator("#capabilities").scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#capabilities').scrollIntoView()")
    window.picture("console-capabilities")
    page.evaluate("document.querySelector('#gates').scrollIntoView()")
    window.picture("console-validation")
    page.evaluate("window.scrollTo(0, 0)")


def request_changes(window):
    """Ask for changes with a reason, a canned text and a question, after a look at what the provider gets."""
    page = window.page
    page.keyboard.press("r")
    page.get_by_label("More permissions than needed").first.check()
    page.locator("#request_changes-comment-canned").select_option(label="Welcome and first look")
    comment = page.locator("#request_changes-comment")
    comment.press("End")
    comment.press_sequentially(f" {QUESTION}")
    window.picture("console-decide")
    page.get_by_role("button", name="Request changes…").click()
    told = page.locator(".told").inner_text()
    assert "More permissions than needed" in told
    assert "Thank you for this submission." in told
    assert QUESTION in told
    window.picture("console-preview")
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("The provider was told what to change.").wait_for()


def approve(window, review, comment):
    """Claim a review and approve it."""
    page = window.page
    window.open(f"/admin/packages/review/{review.pk}/change/")
    page.get_by_role("button", name="Claim").click()
    page.locator("summary", has_text="Approve").click()
    page.locator("#approve-comment").fill(comment)
    page.get_by_role("button", name="Approve…").click()
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("Your approval is recorded.").wait_for()


def state_of(version):
    """Return a version's state as it is now."""
    return Version.objects.get(pk=version.pk).state
