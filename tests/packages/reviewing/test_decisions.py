"""Decisions: what an approval binds, reasons, what follows, and one winner of many."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from aiffinity.lib.audit import find_breaks
from aiffinity.lib.errors import GateNotPassed, InvalidState, PlatformError, ValidationFailed
from aiffinity.lib.models import AuditEntry
from packages.models import Attestation, PolicyReason, ReviewDecision, Version
from packages.reviewing.decisions import approve, reject, request_changes
from packages.submission import publish_version
from providers.models import User
from runtime.models import Event
from tests.packages.conftest import Maker
from tests.packages.reviewing.cases import approve_as, attest, claimed, reasons, sent_mails, state_of
from tests.parallel import in_parallel

MakeReviewer = Callable[..., User]


def test_approval_binds_what_was_seen_and_the_provider_publishes(acme: Maker, make_reviewer: MakeReviewer) -> None:
    acme.subscribe()
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    done = approve_as(review, reviewer, "Good work")
    version = Version.objects.get(pk=review.version_id)
    assert (version.state, version.approved_content_hash, version.approved_config_hash) == (
        "approved",
        version.content_hash,
        acme.config_hash,
    )
    decision = ReviewDecision.objects.get(review=review)
    assert (decision.decision, decision.reviewer, decision.comment) == ("approve", reviewer, "Good work")
    assert (decision.content_hash, decision.config_hash) == (version.content_hash, acme.config_hash)
    assert (done.state, done.outcome) == ("closed", "approved")
    assert acme.events() == ["package.approved"]
    assert publish_version(version, acme.attempt).state == "listed"


def test_publish_on_approval_lists_at_once(acme: Maker, make_reviewer: MakeReviewer) -> None:
    acme.subscribe()
    reviewer = make_reviewer()
    review = claimed(acme, reviewer, publish_on_approval=True)
    approve_as(review, reviewer)
    assert state_of(review) == "listed"
    assert acme.events() == ["package.approved", "package.published"]


def test_publish_on_approval_waits_for_the_gates_and_the_mail_names_them(
    acme: Maker, make_reviewer: MakeReviewer
) -> None:
    reviewer = make_reviewer()
    review = claimed(acme, reviewer, publish_on_approval=True)
    acme.set_runtime(health_status="degraded")
    approve_as(review, reviewer)
    assert state_of(review) == "approved"
    assert "app_healthy: The app's health checks fail" in sent_mails()[-1].body


@pytest.mark.parametrize("what", ["content", "configuration"])
def test_approval_of_what_changed_meanwhile_is_refused(acme: Maker, make_reviewer: MakeReviewer, what: str) -> None:
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    seen = {"content": "seen_content_hash", "configuration": "seen_config_hash"}[what]
    with pytest.raises(InvalidState, match="changed since you looked"):
        approve_as(review, reviewer, **{seen: "0" * 64})
    assert state_of(review) == "in_review"
    assert not ReviewDecision.objects.exists()


def test_approval_above_action_capable_needs_valid_attestations(acme: Maker, make_reviewer: MakeReviewer) -> None:
    security = make_reviewer("security_reviewer")
    review = claimed(acme, security, "high_trust")
    Attestation.objects.update(signed_at=timezone.now() - timedelta(days=366))
    with pytest.raises(GateNotPassed, match="attestations_signed"):
        approve_as(review, security)
    attest(review.version)
    approve_as(review, security)
    assert ReviewDecision.objects.count() == 1


def test_only_the_holder_of_the_claim_decides(acme: Maker, make_reviewer: MakeReviewer) -> None:
    review, other = claimed(acme, make_reviewer()), make_reviewer()
    given: dict[str, Any] = {"reviewer": other, "reasons": reasons(), "comment": ""}
    for decide in (lambda: approve_as(review, other), lambda: request_changes(review, **given)):
        with pytest.raises(InvalidState, match="Another reviewer holds the claim"):
            decide()
    with pytest.raises(InvalidState, match="Another reviewer holds the claim"):
        reject(review, **given)
    assert not ReviewDecision.objects.exists()


def test_requested_changes_keep_the_case_open_and_tell_the_provider_why(
    acme: Maker, make_reviewer: MakeReviewer
) -> None:
    acme.subscribe()
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    chosen = reasons("schema_too_loose", "privacy_policy")
    returned = request_changes(review, reviewer=reviewer, reasons=chosen, comment="Name the units")
    assert (state_of(review), returned.state, returned.claimed_by) == ("changes_requested", "awaiting_provider", None)
    decision = ReviewDecision.objects.get()
    assert [each["code"] for each in decision.reasons] == ["schema_too_loose", "privacy_policy"]
    assert decision.reasons[0] == chosen[0].as_dict()
    data = Event.objects.get().body
    assert '"reasons":[{"code":"schema_too_loose","title":"A schema promises too little"}' in data
    assert '"comment":"Name the units"' in data
    assert acme.events() == ["package.changes_requested"]
    [sent] = sent_mails()
    assert sent.to == [acme.account.email]
    assert "Name the units" in sent.body
    assert "A schema promises too little" in sent.body
    assert f"/versions/{review.version_id}/reviews/{review.pk}/reply" in sent.body
    html = sent.alternatives[0][0]
    assert "A schema promises too little" in html


def test_reasons_stay_as_they_read_when_they_were_given(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    request_changes(review, reviewer=reviewer, reasons=reasons("privacy_policy"), comment="")
    PolicyReason.objects.update(title="Another title")
    assert ReviewDecision.objects.get().reasons[0]["title"] == "The privacy policy doesn't fit"


def test_decision_against_the_provider_needs_a_reason_in_use(acme: Maker, make_reviewer: MakeReviewer) -> None:
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    for chosen in ([], reasons("privacy_policy")):
        PolicyReason.objects.update(is_active=False)
        for reason in chosen:
            reason.refresh_from_db()
        with pytest.raises(ValidationFailed):
            reject(review, reviewer=reviewer, reasons=chosen, comment="No")
    assert state_of(review) == "in_review"


def test_rejection_is_final(acme: Maker, make_reviewer: MakeReviewer) -> None:
    acme.subscribe()
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    done = reject(review, reviewer=reviewer, reasons=reasons("deceptive_or_harmful"), comment="Spam")
    assert (state_of(review), done.outcome, done.state) == ("rejected", "rejected", "closed")
    assert acme.events() == ["package.rejected"]
    assert "make a new version" in sent_mails()[0].body
    with pytest.raises(InvalidState, match="closed"):
        approve_as(review, reviewer)


def test_decisions_are_mailed_even_where_the_account_wants_no_mails(acme: Maker, make_reviewer: MakeReviewer) -> None:
    acme.set_account(notification_preferences={"review_decisions": False})
    reviewer = make_reviewer()
    approve_as(claimed(acme, reviewer), reviewer)
    assert [sent.subject for sent in sent_mails()] == ["Acme Weather 1.0.0 is approved"]


@pytest.mark.django_db(transaction=True)
def test_one_of_many_decisions_at_once_wins(acme: Maker, make_reviewer: MakeReviewer) -> None:
    acme.subscribe()
    reviewer = make_reviewer()
    review = claimed(acme, reviewer)
    version, config_hash, chosen = review.version, acme.config_hash, reasons()
    decisions: list[Callable[[], Any]] = [
        lambda: approve(
            review,
            reviewer=reviewer,
            comment="",
            seen_content_hash=version.content_hash,
            seen_config_hash=config_hash,
        ),
        lambda: reject(review, reviewer=reviewer, reasons=chosen, comment=""),
        lambda: publish_version(version, acme.attempt),
    ]
    waiting = [decisions[index % 3] for index in range(50)]

    def decide() -> str:
        try:
            return type(waiting.pop()()).__name__
        except PlatformError as error:
            return error.code

    results = in_parallel(50, decide)
    assert results.count("Review") == 1
    assert set(results) <= {"Review", "Version", "INVALID_STATE"}
    assert ReviewDecision.objects.count() == 1
    decided = AuditEntry.objects.filter(subject=version.pk, action__in=["version.approve", "version.reject"])
    assert decided.count() == 1
    steps = AuditEntry.objects.filter(subject=version.pk, action__startswith="version.").order_by("sequence")
    history = [(row.from_state, row.to_state) for row in steps if row.from_state]
    assert all(later[0] == earlier[1] for earlier, later in pairwise(history))
    assert history[-1][1] == state_of(review)
    assert len(acme.events()) == len(set(acme.events()))
    assert list(find_breaks()) == []
