"""What reviewers do: claim, release, approve, request changes, reject (spec 3 "Reviewing")."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from aiffinity.lib.errors import GateNotPassed, InvalidState, PermissionDenied
from packages.guards import SYSTEM, Attempt
from packages.listing import list_version
from packages.models import Review, ReviewDecision, Version, VersionState
from packages.policy import config_hash_of
from packages.states import Verb, transition

CLAIM_LASTS = timedelta(minutes=30)


def open_review(version: Version) -> Review:
    """Open a case for a submission, or go on with the open one, whose thread the provider answers."""
    review, _ = Review.objects.get_or_create(version=version, closed_at=None)
    return review


def close_review(version: Version) -> None:
    """Close the version's open case, if there is one."""
    Review.objects.filter(version=version, closed_at=None).update(
        closed_at=timezone.now(), claimed_by=None, claim_expires_at=None
    )


def claim_version(version: Version, attempt: Attempt) -> Version:
    """Take a submitted version into review for 30 minutes. Raises INVALID_STATE (409) where another has it."""
    with transaction.atomic():
        claimed = transition(version, Verb.CLAIM, attempt)
        Review.objects.filter(pk=open_review(claimed).pk).update(
            claimed_by=attempt.user, claim_expires_at=timezone.now() + CLAIM_LASTS
        )
    return claimed


def release_version(version: Version, attempt: Attempt) -> Version:
    """Put a claimed version back into the queue. Raises INVALID_STATE (409)."""
    with transaction.atomic():
        released = transition(version, Verb.RELEASE, attempt)
        Review.objects.filter(version=version, closed_at=None).update(claimed_by=None, claim_expires_at=None)
    return released


def release_expired_claims() -> int:
    """Put versions back whose claim has expired; returns how many."""
    now = timezone.now()
    expired = Review.objects.filter(
        closed_at=None, claim_expires_at__lte=now, version__state=VersionState.IN_REVIEW
    ).select_related("version")
    count = 0
    for review in expired:
        try:
            release_version(review.version, SYSTEM)
        except InvalidState:
            continue  # It was decided or withdrawn in this moment.
        count += 1
    return count


def approve_version(version: Version, attempt: Attempt) -> Version:
    """Approve what the reviewer saw; one that asked for it is published at once.

    `attempt` carries the hashes of content and configuration that were shown. Raises INVALID_STATE (409) when
    either changed, PERMISSION_DENIED (403) for the submitter, GATE_NOT_PASSED (422) above action_capable.
    """
    with transaction.atomic():
        approved = transition(
            version,
            Verb.APPROVE,
            attempt,
            changes={
                "approved_at": timezone.now(),
                "approved_content_hash": attempt.seen_content_hash,
                "approved_config_hash": attempt.seen_config_hash,
            },
            event_data={"comment": attempt.reason},
        )
        _decide(approved, attempt, "approve")
        close_review(approved)
    if not approved.is_published_on_approval:
        return approved
    try:
        return list_version(approved, Verb.PUBLISH, SYSTEM)
    except GateNotPassed:
        return approved  # The sweep lists it as soon as the gates pass.


def request_changes(version: Version, attempt: Attempt) -> Version:
    """Ask the provider for changes; the case stays open for the answer. Raises INVALID_STATE (409)."""
    with transaction.atomic():
        returned = transition(
            version, Verb.REQUEST_CHANGES, attempt, event_data={"reasons": [], "comment": attempt.reason}
        )
        _decide(returned, attempt, "request_changes")
        Review.objects.filter(version=version, closed_at=None).update(claimed_by=None, claim_expires_at=None)
    return returned


def reject_version(version: Version, attempt: Attempt) -> Version:
    """Reject a version for good. Raises INVALID_STATE (409)."""
    with transaction.atomic():
        rejected = transition(version, Verb.REJECT, attempt, event_data={"reasons": [], "comment": attempt.reason})
        _decide(rejected, attempt, "reject")
        close_review(rejected)
    return rejected


def _decide(version: Version, attempt: Attempt, decision: str) -> None:
    if attempt.user is None:
        raise PermissionDenied("A decision needs a reviewer.")
    review = Review.objects.get(version=version, closed_at=None)
    ReviewDecision.objects.create(
        review=review,
        reviewer=attempt.user,
        decision=decision,
        comment=attempt.reason,
        content_hash=version.content_hash,
        config_hash=config_hash_of(version),
    )
