"""What a queue page shows: open reviews of a tier, the most urgent first, with their drift and their counts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from packages.console.wording import TimeLeft, in_words, time_left
from packages.drift import DriftReport, compare
from packages.models import Decision, Review, ReviewDecision, ReviewKind, RiskTier, Version, VersionState
from packages.policy import LISTED_ONCE
from packages.reviewing.approvers import Approval, approvals_of_all, missing_for_tier
from providers.models import User

PAGE_SIZE = 25
SHOWS = {
    "all": "All",
    "mine": "Mine",
    "unclaimed": "Free",
    "overdue": "Overdue",
    "escalated": "Escalated",
}


@dataclass(frozen=True)
class TierCount:
    """How many reviews of a tier wait, and how many of them are overdue."""

    waiting: int = 0
    overdue: int = 0


@dataclass(frozen=True)
class QueueFilter:
    """What somebody asked the queue for; unknown words ask for everything."""

    show: str = "all"
    kind: str = ""
    text: str = ""

    @property
    def is_narrow(self) -> bool:
        """Say whether anything is left out."""
        return bool(self.kind or self.text or self.show != "all")

    def apply(self, reviews: "QuerySet[Review]", user: User, now: datetime) -> "QuerySet[Review]":
        """Narrow a tier's queue."""
        is_claimed = Q(claimed_by__isnull=False, claim_expires_at__gt=now)
        narrowings = {
            "mine": is_claimed & Q(claimed_by=user.pk),
            "unclaimed": ~is_claimed,
            "overdue": Q(due_at__lt=now),
            "escalated": Q(escalated_at__isnull=False),
        }
        reviews = reviews.filter(narrowings.get(self.show, Q()))
        if self.kind:
            reviews = reviews.filter(kind=self.kind)
        if self.text:
            reviews = reviews.filter(
                Q(pk=self.text)
                | Q(version=self.text)
                | Q(version__package__name__icontains=self.text)
                | Q(version__package__slug__icontains=self.text)
                | Q(version__package__account__company_name__icontains=self.text)
            )
        return reviews


@dataclass(frozen=True)
class QueueRow:
    """One review as the queue shows it; `drift` is None for a first listing, `missing` names whose approvals lack."""

    review: Review
    left: TimeLeft
    age: str
    drift: DriftReport | None
    kind: str
    is_mine: bool
    claim_left: str
    missing: list[str]
    is_approved_by_me: bool


KIND_WORDS = {
    ReviewKind.SUBMISSION: "Submission",
    ReviewKind.RE_REVIEW: "Re-review",
    ReviewKind.LISTING_CHANGE: "Listing change",
}


def open_counts() -> dict[RiskTier, TierCount]:
    """Count every tier's open reviews with one query."""
    counts = dict.fromkeys(RiskTier, TierCount())
    found = (
        Review.objects.filter(closed_at=None, is_awaiting_provider=False)
        .values("tier")
        .annotate(waiting=Count("pk"), overdue=Count("pk", filter=Q(due_at__lt=timezone.now())))
    )
    for row in found:
        counts[RiskTier(row["tier"])] = TierCount(row["waiting"], row["overdue"])
    return counts


def queue_rows(reviews: Sequence[Review], user: User, now: datetime) -> list[QueueRow]:
    """Prepare one page of reviews; what they are compared with and their approvals are read at once for all."""
    bases = listed_bases([review.version for review in reviews])
    approvals = approvals_of_all(reviews)
    return [_row(review, bases.get(review.version.package_id), approvals[review.pk], user, now) for review in reviews]


def free_reviews(tier: str, user: User, now: datetime) -> "QuerySet[Review]":
    """Return a tier's queue without what others hold and what the user has approved already."""
    is_others = Q(claim_expires_at__gt=now) & ~Q(claimed_by=user.pk)
    approved = ReviewDecision.objects.filter(
        review=OuterRef("pk"),
        reviewer=user.pk,
        decision=Decision.APPROVE,
        content_hash=OuterRef("version__content_hash"),
    )
    return Review.objects.queue(tier).exclude(is_others).exclude(Exists(approved))


def listed_bases(versions: Sequence[Version]) -> dict[str, Version]:
    """Return by package what users have: the listed version, else the one listed last."""
    found = Version.objects.filter(
        package__in={version.package_id for version in versions}, state__in=LISTED_ONCE
    ).exclude(pk__in=[version.pk for version in versions])
    bases: dict[str, Version] = {}
    for version in found.only("package_id", "state", "listed_at", "version", "capabilities"):
        if version.package_id not in bases or _rank(version) > _rank(bases[version.package_id]):
            bases[version.package_id] = version
    return {package_id: version for package_id, version in bases.items() if version.listed_at}


def _rank(version: Version) -> tuple[bool, float]:
    return version.state == VersionState.LISTED, version.listed_at.timestamp() if version.listed_at else 0.0


def _row(review: Review, base: Version | None, approvals: Collection[Approval], user: User, now: datetime) -> QueueRow:
    is_claimed = review.claim_expires_at is not None and review.claim_expires_at > now
    return QueueRow(
        review=review,
        left=time_left(review.due_at, now),
        age=in_words(now - review.first_submitted_at),
        drift=compare(base.capabilities, review.version.capabilities) if base else None,
        kind=KIND_WORDS[ReviewKind(review.kind)],
        is_mine=is_claimed and review.claimed_by_id == user.pk,
        claim_left=in_words(review.claim_expires_at - now) if is_claimed and review.claim_expires_at else "",
        missing=missing_for_tier(review.version.risk_tier, approvals),
        is_approved_by_me=user.pk in {each.user_id for each in approvals},
    )
