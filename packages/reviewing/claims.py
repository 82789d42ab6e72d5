"""Claims: one reviewer holds a case for 30 minutes (spec 3 "Reviewing")."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from aiffinity.lib.errors import InvalidState
from packages.guards import SYSTEM, Attempt
from packages.models import Review, ReviewKind, VersionState
from packages.reviewing.approvers import approvals_of, require_independent, require_reviewer
from packages.reviewing.cases import attempt_of, lock_case, record
from packages.states import Verb, transition
from providers.models import User

CLAIM_LASTS = timedelta(minutes=30)
SWEEP_BATCH = 500


def claim_review(review: Review, *, reviewer: User) -> Review:
    """Take a case for 30 minutes; who holds it gets the time anew.

    Raises INVALID_STATE (409) where another reviewer holds it or it waits for the provider, PERMISSION_DENIED
    (403) for no reviewer and for who has a part in the version.
    """
    with transaction.atomic():
        case, attempt = lock_case(review), attempt_of(reviewer)
        require_independent(case.version, reviewer)
        if case.is_awaiting_provider:
            raise InvalidState("This case waits for the provider's answer.")
        if case.is_claimed and case.claimed_by_id != reviewer.pk:
            raise InvalidState(f"Another reviewer holds the claim until {case.claim_expires_at:%H:%M} UTC.")
        if case.kind == ReviewKind.SUBMISSION and case.version.state != VersionState.IN_REVIEW:
            transition(case.version, Verb.CLAIM, attempt)
        else:
            record(case, "claimed", attempt)
        Review.objects.filter(pk=case.pk).update(claimed_by=reviewer, claim_expires_at=timezone.now() + CLAIM_LASTS)
        return lock_case(case)


def release_claim(review: Review, *, reviewer: User) -> Review:
    """Put an own claim back. Raises INVALID_STATE (409) for who doesn't hold it."""
    require_reviewer(reviewer)
    with transaction.atomic():
        case = lock_case(review)
        if case.claimed_by_id != reviewer.pk:
            raise InvalidState("You don't hold the claim on this case.")
        end_claim(case, attempt_of(reviewer))
        return lock_case(case)


def end_claim(case: Review, attempt: Attempt) -> None:
    """Free a locked case; its version is submitted again unless it has approvals, which keep it in review."""
    Review.objects.filter(pk=case.pk).update(claimed_by=None, claim_expires_at=None)
    if case.version.state == VersionState.IN_REVIEW and not approvals_of(case):
        transition(case.version, Verb.RELEASE, attempt)
    else:
        record(case, "released", attempt)


def release_expired_claims() -> int:
    """Put cases back whose claim has expired; returns how many."""
    expired = Review.objects.open().filter(claim_expires_at__lte=timezone.now())
    return sum(_release_if_expired(review) for review in expired[:SWEEP_BATCH])


def _release_if_expired(review: Review) -> bool:
    with transaction.atomic():
        try:
            case = lock_case(review)
        except InvalidState:
            return False  # It was decided or withdrawn in this moment.
        if case.claim_expires_at is None or case.is_claimed:
            return False
        end_claim(case, SYSTEM)
        return True
