"""Every mail about a review: it says what happened, why, and what to do next, as text and as HTML."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from packages.models import Version
from packages.reviewing.cases import open_review
from packages.reviewing.claims import claim_review
from packages.reviewing.decisions import reject, request_changes
from packages.reviewing.notices import message_text, provider_text, suspended_text
from packages.reviewing.thread import send_message
from packages.suspension import lapse_approvals, resume_package, resume_version, suspend_package, suspend_version
from providers.models import User
from tests.packages.conftest import Maker, as_reviewer
from tests.packages.reviewing.cases import claimed, reasons, sent_mails, submitted

MakeReviewer = Callable[..., User]


def test_preview_is_the_text_that_is_mailed(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    review = claimed(acme, reviewer, name="Acme & Sons")
    chosen = reasons("privacy_policy")
    preview = provider_text(review, "reject", reasons=[each.as_dict() for each in chosen], comment="No <policy>")
    reject(review, reviewer=reviewer, reasons=chosen, comment="No <policy>")
    [sent] = sent_mails()
    assert sent.body.strip() == preview
    assert sent.subject == "Acme & Sons 1.0.0 is rejected"
    assert "No <policy>" in sent.body
    assert "No &lt;policy&gt;" in sent.alternatives[0][0]
    assert "Acme &amp; Sons" in sent.alternatives[0][0]


def test_previews_of_a_message_and_a_suspension_are_the_texts_that_are_mailed(
    acme: Maker, make_reviewer: MakeReviewer
) -> None:
    reviewer = make_reviewer()
    review, listed = submitted(acme), acme.version("listed")
    previews = [message_text(review, "Why <so>?"), suspended_text(listed, "It leaks")]
    send_message(review, reviewer=reviewer, text="Why <so>?")
    suspend_version(listed, as_reviewer(reviewer, reason="It leaks"))
    assert [sent.body.strip() for sent in sent_mails()] == previews


@pytest.mark.parametrize(("kind", "says"), [("submission", "PATCH"), ("re_review", "stays listed meanwhile")])
def test_requested_changes_say_what_can_be_done_in_that_case(
    acme: Maker, make_reviewer: MakeReviewer, kind: str, says: str
) -> None:
    reviewer = make_reviewer()
    if kind == "submission":
        review = claimed(acme, reviewer)
    else:
        review = open_review(acme.version("listed", risk_tier="action_capable"), kind=kind, cause="Hosts changed.")
        review = claim_review(review, reviewer=reviewer)
    request_changes(review, reviewer=reviewer, reasons=reasons(), comment="Say why.")
    [sent] = sent_mails()
    for text in (sent.body, str(sent.alternatives[0][0])):
        assert says in text
        assert ("PATCH" in text) == (kind == "submission")


def test_suspension_by_the_platform_is_mailed_and_so_is_its_end(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer, version = make_reviewer(), acme.version("listed")
    suspended = suspend_version(version, as_reviewer(reviewer, reason="Abuse was reported"))
    resume_version(suspended, as_reviewer(reviewer))
    suspend_package(version.package, as_reviewer(reviewer, reason="More abuse"))
    resume_package(version.package, as_reviewer(reviewer))
    mails = sent_mails()
    assert [sent.subject for sent in mails] == [
        "Acme Weather 1.0.0 is suspended",
        "Acme Weather 1.0.0 works again",
        "Acme Weather is suspended",
        "Acme Weather works again",
    ]
    assert "Abuse was reported" in mails[0].body
    assert "More abuse" in mails[2].body
    assert all("What to do next" in sent.alternatives[0][0] for sent in mails)


def test_providers_own_suspension_is_not_mailed(acme: Maker) -> None:
    version = acme.version("listed")
    resume_version(suspend_version(version, acme.attempt), acme.attempt)
    assert sent_mails() == []


@pytest.mark.parametrize("cause", ["unused", "changed"])
def test_lapsed_approval_is_mailed(acme: Maker, cause: str) -> None:
    version = acme.version("approved", risk_tier="action_capable")
    if cause == "unused":
        Version.objects.filter(pk=version.pk).update(approved_at=timezone.now() - timedelta(days=31))
    else:
        acme.set_runtime(config_hash="another")
    lapse_approvals()
    [sent] = sent_mails()
    assert sent.subject == "The approval of Acme Weather 1.0.0 has lapsed"
    assert Version.objects.get(pk=version.pk).first_submitted_at is None
