"""Cases before reviewers, with their decisions and their thread."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from aiffinity.lib.ids import IdField
from packages.models.choices import Decision, MessageAuthor, ReviewKind, ReviewOutcome, RiskTier
from packages.models.packages import Version
from providers.models import Account, User


class ReviewQuerySet(models.QuerySet["Review"]):
    """Queries on cases."""

    def for_account(self, account: Account) -> Self:
        """Return the cases of the account's versions: the only door to an owned one."""
        return self.filter(version__package__account=account)

    def open(self) -> Self:
        """Leave out what is closed."""
        return self.filter(closed_at=None)

    def queue(self, tier: str) -> Self:
        """Return what waits for reviewers in a tier, what is overdue first; ready for the queue page."""
        waiting = self.filter(closed_at=None, is_awaiting_provider=False, tier=tier)
        return waiting.order_by("due_at", "pk").select_related(
            "claimed_by", "version__package__account", "version__package__app"
        )


class Review(models.Model):
    """One case before reviewers: a submission, or a re-review of something listed."""

    id = IdField("rev")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="reviews")
    kind = models.CharField(max_length=20, choices=ReviewKind.choices, default=ReviewKind.SUBMISSION)
    tier = models.CharField(max_length=20, choices=RiskTier.choices)
    cause = models.CharField(max_length=500, blank=True, help_text="Why the platform wants a reviewer.")
    opened_at = models.DateTimeField(auto_now_add=True)
    first_submitted_at = models.DateTimeField(help_text="First submission; a reply of the provider keeps it.")
    queued_at = models.DateTimeField(help_text="When it came into the queue last.")
    due_at = models.DateTimeField(help_text="Until when the SLA promises a decision.")
    decided_at = models.DateTimeField(null=True, help_text="The last decision that left the queue empty of it.")
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, choices=ReviewOutcome.choices, blank=True)
    is_awaiting_provider = models.BooleanField(default=False)
    claimed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    claim_expires_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version"], condition=Q(closed_at=None), name="review_one_open_per_version"
            ),
        ]
        indexes = [
            models.Index(
                fields=["tier", "due_at", "id"],
                condition=Q(closed_at=None, is_awaiting_provider=False),
                name="review_queue",
            ),
            models.Index(fields=["tier", "decided_at"], name="review_tier_decided"),
            models.Index(fields=["claim_expires_at"], condition=Q(closed_at=None), name="review_claims"),
        ]
        permissions = [
            ("review_version", "Can claim versions and decide on them"),
            ("security_review_version", "Can decide as a security reviewer"),
            ("architecture_review_version", "Can decide as an architecture reviewer"),
            ("curate_package", "Can grant the strategic surface to a package"),
            ("suspend_package", "Can suspend versions and packages"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} of {self.version_id}"

    @property
    def is_claimed(self) -> bool:
        """Say whether a reviewer holds the case now."""
        return self.claim_expires_at is not None and self.claim_expires_at > timezone.now()

    @property
    def is_overdue(self) -> bool:
        """Say whether the SLA is broken."""
        return self.closed_at is None and self.due_at < timezone.now()

    @property
    def state(self) -> str:
        """Return closed, awaiting_provider, in_review (a reviewer holds it) or queued."""
        if self.closed_at is not None:
            return "closed"
        if self.is_awaiting_provider:
            return "awaiting_provider"
        return "in_review" if self.is_claimed else "queued"


class ReviewDecision(models.Model):
    """What one reviewer decided, bound to the hashes of what they saw."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="decisions")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=20, choices=Decision.choices)
    reasons = models.JSONField(default=list, help_text="Frozen {code, title, text, link} of the policy's reasons.")
    comment = models.TextField(blank=True)
    content_hash = models.CharField(max_length=64)
    config_hash = models.CharField(max_length=64)
    is_security = models.BooleanField(default=False, help_text="The reviewer was a security reviewer then.")
    is_architecture = models.BooleanField(default=False, help_text="The reviewer was an architecture reviewer then.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["review", "reviewer", "content_hash", "config_hash"],
                condition=Q(decision="approve"),
                name="review_decision_one_approval_per_reviewer",
            ),
        ]
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"{self.decision} by {self.reviewer_id}"


class ReviewMessage(models.Model):
    """One text of a case's thread; private ones are notes that the provider never sees."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="messages")
    author = models.CharField(max_length=20, choices=MessageAuthor.choices)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    is_private = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"{self.author} in {self.review_id}"
