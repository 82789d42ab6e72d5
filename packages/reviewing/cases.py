"""Opening, locking and closing cases; every verb of the review domain begins with the lock."""

from django.db.models import QuerySet
from django.utils import timezone

from aiffinity.lib.audit import append_audit
from aiffinity.lib.errors import InvalidState, NotFound
from packages.guards import Attempt, Role
from packages.models import Package, Review, ReviewKind, ReviewOutcome, Version
from packages.reviewing.deadlines import due_at
from providers.models import User


def open_review(version: Version, *, kind: str = ReviewKind.SUBMISSION, cause: str = "") -> Review:
    """Open a case, or put the version's open one back into the queue with its first dates."""
    now = timezone.now()
    current = Review.objects.open().filter(version=version).first()
    if current is not None:
        # The earlier decision ended another wait; measured from this one it would lie in the past.
        Review.objects.filter(pk=current.pk).update(is_awaiting_provider=False, queued_at=now, decided_at=None)
        current.refresh_from_db()
        return current
    is_submission = kind == ReviewKind.SUBMISSION
    return Review.objects.create(
        version=version,
        kind=kind,
        tier=version.risk_tier,
        cause=cause[:500],
        first_submitted_at=(version.first_submitted_at if is_submission else None) or now,
        queued_at=now,
        due_at=due_at(version.risk_tier, now),
    )


def close_review(version: Version, outcome: str = ReviewOutcome.WITHDRAWN) -> None:
    """Close the version's open case, if there is one."""
    now = timezone.now()
    is_decided = outcome != ReviewOutcome.WITHDRAWN
    Review.objects.open().filter(version=version).update(
        closed_at=now,
        outcome=outcome,
        claimed_by=None,
        claim_expires_at=None,
        is_awaiting_provider=False,
        **({"decided_at": now} if is_decided else {}),
    )


def restart_review(review: Review, *, cause: str) -> Review:
    """Begin a case anew, without claim and approvals, because what it is about changed; its dates stay."""
    close_review(review.version)
    renewed = open_review(review.version, kind=review.kind, cause=cause)
    Review.objects.filter(pk=renewed.pk).update(
        first_submitted_at=review.first_submitted_at, due_at=review.due_at, queued_at=review.queued_at
    )
    renewed.refresh_from_db()
    return renewed


def complete(reviews: QuerySet[Review]) -> QuerySet[Review]:
    """Read cases with all that the verbs look at."""
    return reviews.select_related(
        "claimed_by", "version__submitted_by", "version__package__app", "version__package__account__owner"
    )


def lock_case(review: Review) -> Review:
    """Return the case as it stands, with its package locked until the transaction ends.

    Raises NOT_FOUND (404) where it is gone and INVALID_STATE (409) where it is closed.
    """
    package_id = Review.objects.filter(pk=review.pk).values_list("version__package_id", flat=True).first()
    # The same lock that every transition takes, so that decisions and transitions take turns.
    if package_id is None or not Package.objects.select_for_update(no_key=True).filter(pk=package_id).exists():
        raise NotFound
    case = complete(Review.objects.filter(pk=review.pk)).first()
    if case is None:
        raise NotFound
    if case.closed_at is not None:
        raise InvalidState(f"This case is closed: {case.outcome}.")
    return case


def attempt_of(reviewer: User, reason: str = "", *, content_hash: str = "", config_hash: str = "") -> Attempt:
    """Return a reviewer as the one who tries something, having seen what the hashes name."""
    return Attempt(
        actor=f"user:{reviewer.pk}",
        role=Role.REVIEWER,
        user=reviewer,
        reason=reason,
        seen_content_hash=content_hash,
        seen_config_hash=config_hash,
    )


def record(review: Review, action: str, attempt: Attempt, **data: object) -> None:
    """Write what happened to a case into its version's audit chain."""
    append_audit(
        subject=review.version_id,
        action=f"review.{action}",
        actor=attempt.actor,
        reason=attempt.reason,
        content_hash=review.version.content_hash,
        data={"review_id": review.pk, "kind": review.kind, **data},
    )
