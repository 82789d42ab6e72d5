"""The thread of a case: the provider's answers, reviewers' messages and private notes, escalation (spec 3)."""

from django.db import transaction
from django.utils import timezone

from aiffinity.lib.errors import Detail, ValidationFailed
from packages.guards import Attempt, Role
from packages.models import MessageAuthor, Review, ReviewKind, ReviewMessage, VersionState
from packages.reviewing import notices
from packages.reviewing.approvers import require_independent, require_reviewer
from packages.reviewing.cases import attempt_of, lock_case, open_review, record
from packages.reviewing.claims import end_claim
from packages.states import Verb, transition
from providers.models import User
from providers.opaque_ids import opaque_user_id

MAX_TEXT_CHARACTERS = 5000
# Requested changes, also where the same content was validated once more meanwhile.
ANSWERED_STATES = (VersionState.CHANGES_REQUESTED, VersionState.VALIDATED)


def reply(review: Review, *, user: User, message: str) -> ReviewMessage:
    """Answer reviewers as the provider; a case with requested changes goes back into the queue with its dates.

    Raises INVALID_STATE (409) for a closed case and GATE_NOT_PASSED (422) where the version can't be submitted
    any more. Source: spec 3 "The version state machine", changes_requested to submitted.
    """
    attempt = Attempt(actor=f"user:{user.pk}", role=Role.PROVIDER, user=user)
    with transaction.atomic():
        case = lock_case(review)
        written = _write(case, MessageAuthor.PROVIDER, user, message)
        if case.version.state in ANSWERED_STATES and case.kind == ReviewKind.SUBMISSION:
            submitter = opaque_user_id(user.pk, case.version.package.app_id)
            transition(
                case.version,
                Verb.SUBMIT,
                attempt,
                changes={"submitted_by": user, "submitted_at": timezone.now()},
                event_data={"submitted_by": submitter},
            )
        if case.is_awaiting_provider:
            open_review(case.version)
        record(case, "replied", attempt)
    return written


def send_message(review: Review, *, reviewer: User, text: str) -> ReviewMessage:
    """Write to the provider; the message is mailed too. Raises INVALID_STATE (409), PERMISSION_DENIED (403)."""
    with transaction.atomic():
        case = lock_case(review)
        require_independent(case.version, reviewer)
        written = _write(case, MessageAuthor.REVIEWER, reviewer, text)
        record(case, "message_sent", attempt_of(reviewer))
        notices.send_message(case, written.text)
    return written


def add_note(review: Review, *, reviewer: User, text: str) -> ReviewMessage:
    """Write a private note, which the provider never sees; closed cases take notes as well."""
    require_reviewer(reviewer)
    with transaction.atomic():
        written = _write(review, MessageAuthor.REVIEWER, reviewer, text, is_private=True)
        record(review, "note_added", attempt_of(reviewer))
    return written


def escalate(review: Review, *, reviewer: User, comment: str) -> Review:
    """Ask more experienced reviewers to look: marks the case, notes why and frees an own claim.

    Raises INVALID_STATE (409), PERMISSION_DENIED (403).
    """
    with transaction.atomic():
        case, attempt = lock_case(review), attempt_of(reviewer, comment)
        require_independent(case.version, reviewer)
        Review.objects.filter(pk=case.pk).update(escalated_at=timezone.now())
        _write(case, MessageAuthor.REVIEWER, reviewer, comment, is_private=True)
        record(case, "escalated", attempt)
        if case.claimed_by_id == reviewer.pk:
            end_claim(case, attempt)
        return lock_case(case)


def write_as_system(review: Review, text: str) -> ReviewMessage:
    """Write what the platform itself has to say into the thread, inside a transaction."""
    return ReviewMessage.objects.create(review=review, author=MessageAuthor.SYSTEM, text=text)


def _write(case: Review, author: str, user: User, text: str, *, is_private: bool = False) -> ReviewMessage:
    given = text.strip()
    if not given or len(given) > MAX_TEXT_CHARACTERS:
        message = f"Write 1 to {MAX_TEXT_CHARACTERS} characters."
        raise ValidationFailed(details=[Detail("message", "length", message)])
    return ReviewMessage.objects.create(review=case, author=author, user=user, text=given, is_private=is_private)
