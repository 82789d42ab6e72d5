"""The thread of a case over HTTP and by its verbs: answers, messages, notes, escalation."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aiffinity.lib.errors import InvalidState, PermissionDenied, ValidationFailed
from aiffinity.lib.models import AuditEntry
from packages.guards import SYSTEM
from packages.models import Review, ReviewMessage, Version
from packages.reviewing.claims import claim_review
from packages.reviewing.decisions import request_changes
from packages.reviewing.thread import add_note, escalate, send_message
from packages.states import Verb, transition
from packages.versions import edit_version
from providers.models import User
from tests.packages.conftest import Maker
from tests.packages.reviewing.cases import approve_as, claimed, reasons, sent_mails, state_of, submitted

MakeReviewer = Callable[..., User]


def path_of(review: Review) -> str:
    return f"/{review.version.package_id}/versions/{review.version_id}/reviews"


def answer(acme: Maker, review: Review, message: Any = "The units stand in the descriptions.", **kwargs: Any) -> Any:
    return acme("POST", f"{path_of(review)}/{review.pk}/reply", {"message": message}, **kwargs)


def with_requested_changes(acme: Maker, reviewer: User) -> Review:
    review = claimed(acme, reviewer)
    return request_changes(review, reviewer=reviewer, reasons=reasons("privacy_policy"), comment="Mend it")


def test_answer_puts_the_version_back_into_the_queue_with_its_first_dates(
    acme: Maker, make_reviewer: MakeReviewer
) -> None:
    acme.subscribe()
    review = with_requested_changes(acme, make_reviewer())
    first = Version.objects.get(pk=review.version_id).first_submitted_at
    response = answer(acme, review)
    assert response.status_code == 201, response.content
    shown = response.json()["data"]
    assert (shown["id"], shown["state"], shown["outcome"]) == (review.pk, "queued", None)
    assert shown["messages"][0]["text"] == "The units stand in the descriptions."
    assert shown["messages"][0]["author"] == "provider"
    after = Review.objects.get(pk=review.pk)
    assert (after.first_submitted_at, after.due_at) == (review.first_submitted_at, review.due_at)
    assert after.queued_at > review.queued_at
    version = Version.objects.get(pk=review.version_id)
    assert (version.state, version.first_submitted_at) == ("submitted", first)
    assert acme.events() == ["package.changes_requested", "package.submitted"]
    assert claim_review(after, reviewer=make_reviewer()).is_claimed


def test_answer_after_another_validation_goes_back_into_the_queue_too(acme: Maker, make_reviewer: MakeReviewer) -> None:
    review = with_requested_changes(acme, make_reviewer())
    transition(review.version, Verb.PASS_VALIDATION, SYSTEM)
    with pytest.raises(InvalidState):
        claim_review(review, reviewer=make_reviewer())
    assert answer(acme, review).json()["data"]["state"] == "queued"
    assert state_of(review) == "submitted"


def test_answer_while_in_review_is_a_message(acme: Maker, make_reviewer: MakeReviewer) -> None:
    acme.subscribe()
    review = claimed(acme, make_reviewer())
    assert answer(acme, review).status_code == 201
    assert state_of(review) == "in_review"
    assert Review.objects.get(pk=review.pk).is_claimed
    assert acme.events() == []


def test_answer_to_a_closed_case_is_refused(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    review = with_requested_changes(acme, reviewer)
    edit_version(review.version, acme.attempt, {"changelog": "Mended"})
    response = answer(acme, review)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "INVALID_STATE")
    assert not ReviewMessage.objects.exists()


def test_answer_that_fails_a_gate_changes_nothing(acme: Maker, make_reviewer: MakeReviewer) -> None:
    review = with_requested_changes(acme, make_reviewer())
    acme.set_runtime(status="paused")
    response = answer(acme, review)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "GATE_NOT_PASSED")
    assert state_of(review) == "changes_requested"
    assert not ReviewMessage.objects.exists()


@pytest.mark.parametrize("message", ["", "   ", None, 7, "x" * 5001, "<script>alert(1)</script>"])
def test_bad_answers_are_refused(acme: Maker, message: Any) -> None:
    response = answer(acme, submitted(acme), message)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert not ReviewMessage.objects.exists()


def test_another_account_sees_no_case(acme: Maker, maker: Callable[..., Maker]) -> None:
    review, other = submitted(acme), maker()
    assert answer(acme, review, token=other.token).status_code == 404
    assert acme("GET", path_of(review), token=other.token).status_code == 404
    other_review = submitted(acme)
    wrong = f"{path_of(review)}/{other_review.pk}/reply"
    assert acme("POST", wrong, {"message": "Hello"}).status_code == 404
    assert answer(acme, review, token="").status_code == 401
    assert not ReviewMessage.objects.exists()


def test_provider_sees_decisions_and_messages_but_no_notes_and_no_names(
    acme: Maker, make_reviewer: MakeReviewer
) -> None:
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    add_note(review, reviewer=reviewer, text="Odd company")
    send_message(review, reviewer=reviewer, text="Which units are these?")
    request_changes(review, reviewer=reviewer, reasons=reasons("privacy_policy"), comment="Mend it")
    response = acme("GET", path_of(review))
    [shown] = response.json()["data"]
    assert [each["text"] for each in shown["messages"]] == ["Which units are these?"]
    [decision] = shown["decisions"]
    assert (decision["decision"], decision["comment"]) == ("request_changes", "Mend it")
    assert decision["reasons"][0]["code"] == "privacy_policy"
    assert (reviewer.email or "") not in response.content.decode()
    assert "Odd company" not in response.content.decode()


def test_first_of_two_approvals_is_not_told(acme: Maker, make_reviewer: MakeReviewer) -> None:
    security = make_reviewer("security_reviewer")
    review = claimed(acme, security, "high_trust")
    approve_as(review, security, "Fine")
    assert acme("GET", path_of(review)).json()["data"][0]["decisions"] == []
    assert sent_mails() == []


def test_list_of_reviews_takes_the_same_queries_for_many(acme: Maker, make_reviewer: MakeReviewer) -> None:
    review = submitted(acme)
    path = path_of(review)
    acme("GET", path)  # The signing keys are read once a process.
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            acme("GET", path)
        counts.append(len(queries))
        for _ in range(4):
            send_message(review, reviewer=make_reviewer(), text="Hello")
        Review.objects.filter(pk=review.pk).update(closed_at=review.opened_at)
        Review.objects.create(
            version=review.version,
            tier=review.tier,
            first_submitted_at=review.opened_at,
            queued_at=review.opened_at,
            due_at=review.due_at,
        )
        review = Review.objects.open().get()
    assert counts[0] == counts[1] <= 8


def test_message_is_mailed_unless_the_account_wants_none(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer, review = make_reviewer(), submitted(acme)
    send_message(review, reviewer=reviewer, text="Which <units> & why?")
    [sent] = sent_mails()
    assert "Which <units> & why?" in sent.body
    assert "Which &lt;units&gt; &amp; why?" in sent.alternatives[0][0]
    acme.set_account(notification_preferences={"review_decisions": False})
    send_message(review, reviewer=reviewer, text="Another one")
    assert len(sent_mails()) == 1


def test_escalation_marks_the_case_frees_the_claim_and_notes_why(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    escalated = escalate(review, reviewer=reviewer, comment="Is this a bank?")
    assert escalated.escalated_at is not None
    assert (escalated.claimed_by, state_of(review)) == (None, "submitted")
    note = ReviewMessage.objects.get()
    assert (note.text, note.is_private) == ("Is this a bank?", True)
    assert AuditEntry.objects.filter(subject=review.version_id, action="review.escalated").count() == 1


def test_thread_is_for_reviewers_without_a_part_in_it(acme: Maker, make_reviewer: MakeReviewer) -> None:
    review = submitted(acme)
    with pytest.raises(PermissionDenied):
        add_note(review, reviewer=make_reviewer("ops"), text="Hello")
    insider = make_reviewer()
    acme.set_account(email=insider.email)
    with pytest.raises(PermissionDenied):
        send_message(review, reviewer=insider, text="Hello")
    with pytest.raises(ValidationFailed):
        add_note(review, reviewer=make_reviewer(), text="  ")
    assert not ReviewMessage.objects.exists()
