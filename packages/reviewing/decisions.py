"""Decisions: approve, request changes, reject; each is told to the provider by event and mail (spec 3 "Reviewing")."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from aiffinity.lib.errors import Detail, GateNotPassed, InvalidState, ValidationFailed
from packages import policy
from packages.configuration import approval_columns
from packages.guards import SYSTEM, Attempt, claimed_by_reviewer, seen_content
from packages.listing import list_version
from packages.models import Decision, PolicyReason, Review, ReviewDecision, ReviewKind, ReviewOutcome, VersionState
from packages.reviewing import notices, renewal
from packages.reviewing.approvers import (
    approval_by,
    approvals_missing,
    require_independent,
    require_useful_approval,
)
from packages.reviewing.cases import attempt_of, close_review, complete, lock_case, record
from packages.reviewing.thread import MAX_TEXT_CHARACTERS
from packages.states import Verb, describe, transition
from providers.models import User
from runtime.events import post_event


def approve(review: Review, *, reviewer: User, comment: str, seen_content_hash: str, seen_config_hash: str) -> Review:
    """Approve what the hashes name; the last approval that a tier needs approves the version.

    A version that asked for it is published at once. Raises INVALID_STATE (409) without a claim, where content or
    configuration changed since and for a second approval, PERMISSION_DENIED (403) for who may not approve this,
    GATE_NOT_PASSED (422) for missing attestations, certification or grant. Source: spec 3.
    """
    attempt = attempt_of(reviewer, comment, content_hash=seen_content_hash, config_hash=seen_config_hash)
    with transaction.atomic():
        case = _lock_for_decision(review, attempt)
        seen_content(case.version, attempt)
        policy.require_gates(case.version, only=policy.TIER_GATES)
        require_useful_approval(case, reviewer)
        _decide(case, attempt, Decision.APPROVE, [])
        missing = approvals_missing(case)
        if missing:
            Review.objects.filter(pk=case.pk).update(claimed_by=None, claim_expires_at=None)
            record(case, "approved_partly", attempt, missing=missing)
        elif case.kind == ReviewKind.SUBMISSION:
            _approve_submission(case, attempt)
        else:
            renewal.renew_approval(case, attempt)
    if not missing and case.kind == ReviewKind.SUBMISSION:
        _publish_if_asked(case)
    return complete(Review.objects.filter(pk=case.pk)).get()


def request_changes(review: Review, *, reviewer: User, reasons: Sequence[PolicyReason], comment: str) -> Review:
    """Ask the provider for changes; the case stays open for the answer.

    Something listed stays listed meanwhile. Raises VALIDATION_ERROR (400) without a reason, INVALID_STATE (409)
    without a claim, PERMISSION_DENIED (403).
    """
    attempt, frozen = attempt_of(reviewer, comment), freeze_reasons(reasons)
    with transaction.atomic():
        case = _lock_for_decision(review, attempt)
        if case.kind == ReviewKind.SUBMISSION:
            transition(case.version, Verb.REQUEST_CHANGES, attempt, event_data=told(frozen, comment))
        else:
            _tell_without_transition(case, attempt, "package.changes_requested", frozen)
        _decide(case, attempt, Decision.REQUEST_CHANGES, frozen)
        Review.objects.filter(pk=case.pk).update(
            claimed_by=None, claim_expires_at=None, is_awaiting_provider=True, decided_at=timezone.now()
        )
        notices.send_decision(case, Decision.REQUEST_CHANGES, reasons=frozen, comment=comment)
        return complete(Review.objects.filter(pk=case.pk)).get()


def reject(review: Review, *, reviewer: User, reasons: Sequence[PolicyReason], comment: str) -> Review:
    """Reject for good: a submission is rejected, something listed is suspended, pending listing fields are dropped.

    Raises as `request_changes`.
    """
    attempt, frozen = attempt_of(reviewer, comment), freeze_reasons(reasons)
    with transaction.atomic():
        case = _lock_for_decision(review, attempt)
        _decide(case, attempt, Decision.REJECT, frozen)
        if case.kind == ReviewKind.SUBMISSION:
            transition(case.version, Verb.REJECT, attempt, event_data=told(frozen, comment))
            notices.send_decision(case, Decision.REJECT, reasons=frozen, comment=comment)
        elif case.kind == ReviewKind.LISTING_CHANGE:
            _tell_without_transition(case, attempt, "package.rejected", frozen)
            notices.send_decision(case, Decision.REJECT, reasons=frozen, comment=comment)
        else:
            _suspend(case, attempt, frozen)
        if case.kind != ReviewKind.SUBMISSION:
            renewal.drop_pending_listing(case, attempt)
        close_review(case.version, ReviewOutcome.REJECTED)
        return complete(Review.objects.filter(pk=case.pk)).get()


def freeze_reasons(reasons: Sequence[PolicyReason]) -> list[dict[str, str]]:
    """Return what a decision keeps of its reasons. Raises VALIDATION_ERROR (400) for none or a retired one."""
    if not reasons:
        raise ValidationFailed(details=[Detail("reasons", "required", "Choose one reason of the policy at least.")])
    retired = [reason.code for reason in reasons if not reason.is_active]
    if retired:
        message = f"No longer in use: {', '.join(retired)}."
        raise ValidationFailed(details=[Detail("reasons", "retired", message)])
    return [reason.as_dict() for reason in reasons]


def told(reasons: Sequence[dict[str, str]], comment: str) -> dict[str, Any]:
    """Return what an event says of a decision."""
    return {"reasons": [{"code": each["code"], "title": each["title"]} for each in reasons], "comment": comment}


def _lock_for_decision(review: Review, attempt: Attempt) -> Review:
    if len(attempt.reason) > MAX_TEXT_CHARACTERS:
        message = f"At most {MAX_TEXT_CHARACTERS} characters."
        raise ValidationFailed(details=[Detail("comment", "max_length", message)])
    case = lock_case(review)
    require_independent(case.version, attempt.user)
    if case.is_awaiting_provider:
        raise InvalidState("This case waits for the provider's answer.")
    claimed_by_reviewer(case.version, attempt)
    return case


def _decide(case: Review, attempt: Attempt, decision: Decision, reasons: list[dict[str, str]]) -> None:
    reviewer = require_independent(case.version, attempt.user)
    weight = approval_by(reviewer)
    ReviewDecision.objects.create(
        review=case,
        reviewer=reviewer,
        decision=decision,
        reasons=reasons,
        comment=attempt.reason,
        content_hash=case.version.content_hash,
        config_hash=policy.config_hash_of(case.version),
        is_security=weight.is_security,
        is_architecture=weight.is_architecture,
    )


def _approve_submission(case: Review, attempt: Attempt) -> None:
    binding = approval_columns(case.version)
    if binding["approved_config_hash"] != attempt.seen_config_hash:
        raise InvalidState("The app's configuration changed since you looked; look again.")
    approved = transition(case.version, Verb.APPROVE, attempt, changes=binding, event_data=told([], attempt.reason))
    close_review(approved, ReviewOutcome.APPROVED)
    gates = [gate for gate in policy.evaluate_gates(approved) if not gate.passed]
    notices.send_decision(case, Decision.APPROVE, comment=attempt.reason, gates=gates)


def _publish_if_asked(case: Review) -> None:
    version = complete(Review.objects.filter(pk=case.pk)).get().version
    if not version.is_published_on_approval or version.state != VersionState.APPROVED:
        return
    try:
        list_version(version, Verb.PUBLISH, SYSTEM)
    except (GateNotPassed, InvalidState):
        return  # The sweep lists it as soon as the gates pass; its provider may have published it, too.


def _suspend(case: Review, attempt: Attempt, reasons: list[dict[str, str]]) -> None:
    transition(
        case.version,
        Verb.SUSPEND,
        attempt,
        changes={"suspended_by": attempt.role.value},
        event_data=told(reasons, attempt.reason),
    )
    notices.send_decision(case, Decision.REJECT, reasons=reasons, comment=attempt.reason)


def _tell_without_transition(case: Review, attempt: Attempt, event: str, reasons: list[dict[str, str]]) -> None:
    record(case, event.removeprefix("package."), attempt)
    post_event(case.version.package.app, event, {**describe(case.version), **told(reasons, attempt.reason)})
