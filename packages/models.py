"""Packages, their versions, validation runs and reviews."""

from typing import Self

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from aiffinity.lib.ids import IdField
from providers.models import Account, App, User


class RiskTier(models.TextChoices):
    """Risk tiers, the least first; the order is that of `runtime.descriptors.RISK_TIERS`."""

    DATA_ONLY = "data_only"
    ACTION_CAPABLE = "action_capable"
    HIGH_TRUST = "high_trust"
    STRATEGIC_SURFACE = "strategic_surface"


class AvailabilityMode(models.TextChoices):
    """Who finds a listed package: everybody, or only who knows its slug."""

    PUBLIC = "public"
    UNLISTED = "unlisted"


class PackageStatus(models.TextChoices):
    """A package's status; derived, never stored."""

    DRAFT = "draft"
    PUBLISHED = "published"
    DEPRECATED = "deprecated"
    SUSPENDED = "suspended"
    ORPHANED = "orphaned"


class VersionState(models.TextChoices):
    """States of a version; `packages.states` has the transitions."""

    DRAFT = "draft"
    VALIDATED = "validated"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    REJECTED = "rejected"
    APPROVED = "approved"
    LISTED = "listed"
    SUPERSEDED = "superseded"
    SUSPENDED = "suspended"


class PackageQuerySet(models.QuerySet["Package"]):
    """Queries on packages."""

    def for_account(self, account: Account) -> Self:
        """Return the account's packages: the only door to an owned one."""
        return self.filter(account=account)

    def with_status(self) -> Self:
        """Annotate `status`, derived as spec 3 says: published, else suspended, orphaned, deprecated, draft."""
        versions = Version.objects.filter(package=OuterRef("pk"))
        return self.annotate(
            status=Case(
                When(
                    Exists(versions.filter(state=VersionState.LISTED))
                    & Q(suspended_at=None, app__deleted_at=None, deprecated_at=None),
                    then=Value(PackageStatus.PUBLISHED),
                ),
                When(
                    Q(suspended_at__isnull=False) | Exists(versions.filter(state=VersionState.SUSPENDED)),
                    then=Value(PackageStatus.SUSPENDED),
                ),
                When(app__deleted_at__isnull=False, then=Value(PackageStatus.ORPHANED)),
                When(deprecated_at__isnull=False, then=Value(PackageStatus.DEPRECATED)),
                default=Value(PackageStatus.DRAFT),
            )
        )


class Package(models.Model):
    """Listing metadata, availability and the binding to one app."""

    id = IdField("pkg")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="packages")
    app = models.ForeignKey(App, on_delete=models.PROTECT, related_name="packages")
    name = models.CharField(max_length=80)
    slug = models.CharField(max_length=64, unique=True)
    description = models.CharField(max_length=2000)
    category = models.CharField(max_length=40, blank=True)
    keywords = models.JSONField(default=list, blank=True)
    images = models.JSONField(default=list, blank=True)
    support_url = models.CharField(max_length=2048, blank=True)
    privacy_policy_url = models.CharField(max_length=2048, blank=True)
    availability_mode = models.CharField(
        max_length=20, choices=AvailabilityMode.choices, default=AvailabilityMode.PUBLIC
    )
    deprecated_at = models.DateTimeField(null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    install_count = models.PositiveIntegerField(default=0, help_text="Pushed down by the install verbs.")
    listed_at = models.DateTimeField(null=True, blank=True, help_text="First listing.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = PackageQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account", "-created_at"], name="package_account_created")]

    def __str__(self) -> str:
        return f"{self.name} ({self.slug})"


class VersionQuerySet(models.QuerySet["Version"]):
    """Queries on versions."""

    def for_account(self, account: Account) -> Self:
        """Return the versions of the account's packages: the only door to an owned one."""
        return self.filter(package__account=account)

    def listed(self) -> Self:
        """Return what the catalog may show."""
        return self.filter(
            state=VersionState.LISTED,
            package__suspended_at=None,
            package__deprecated_at=None,
            package__app__deleted_at=None,
            package__account__suspended_at=None,
        )


class Version(models.Model):
    """A frozen set of capability descriptors with its own validation, review and listing state."""

    id = IdField("ver")
    package = models.ForeignKey(Package, on_delete=models.PROTECT, related_name="versions")
    version = models.CharField(max_length=40)
    risk_tier = models.CharField(max_length=20, choices=RiskTier.choices)
    state = models.CharField(max_length=20, choices=VersionState.choices, default=VersionState.DRAFT, editable=False)
    capabilities = models.JSONField(help_text="Canonical descriptors, each with its `capability_id`.")
    content_hash = models.CharField(max_length=64, help_text="Hash of capabilities and risk tier.")
    changelog = models.TextField(blank=True)
    is_published_on_approval = models.BooleanField(default=False)
    submitted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    first_submitted_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    approved_content_hash = models.CharField(max_length=64, blank=True)
    approved_config_hash = models.CharField(max_length=64, blank=True)
    listed_at = models.DateTimeField(null=True)
    suspended_by = models.CharField(max_length=20, blank=True, help_text="provider, reviewer or system.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["package", "version"], name="version_unique_number"),
            models.UniqueConstraint(
                fields=["package"], condition=Q(state="listed"), name="version_one_listed_per_package"
            ),
            models.CheckConstraint(
                condition=~Q(state="listed") | Q(approved_content_hash=F("content_hash")),
                name="version_listed_as_approved",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "submitted_at"], name="version_state_submitted"),
        ]

    def __str__(self) -> str:
        return f"{self.package_id} {self.version}"


class RunState(models.TextChoices):
    """States of a validation run; errored means that the fault is the platform's."""

    QUEUED = "queued"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"


class ValidationRun(models.Model):
    """One run of the conformance suite over a version's content."""

    id = IdField("run")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="validation_runs")
    state = models.CharField(max_length=20, choices=RunState.choices, default=RunState.QUEUED)
    content_hash = models.CharField(max_length=64)
    score = models.FloatField(null=True)
    dimensions = models.JSONField(default=dict)
    checks = models.JSONField(default=list)
    checks_done = models.PositiveSmallIntegerField(default=0)
    checks_total = models.PositiveSmallIntegerField(default=0)
    attempts_made = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(state__in=["queued", "running"]),
                name="validation_run_one_open_per_version",
            ),
        ]
        indexes = [models.Index(fields=["version", "-created_at"], name="validation_run_version_created")]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"


class Review(models.Model):
    """One case before reviewers: a submission, or a re-review of something listed."""

    id = IdField("rev")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="reviews")
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    claimed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    claim_expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version"], condition=Q(closed_at=None), name="review_one_open_per_version"
            ),
        ]
        permissions = [
            ("review_version", "Can claim versions and decide on them"),
            ("security_review_version", "Can decide as a security reviewer"),
            ("architecture_review_version", "Can decide as an architecture reviewer"),
            ("curate_package", "Can grant the strategic surface to a package"),
            ("suspend_package", "Can suspend and resume versions and packages"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} of {self.version_id}"


class ReviewDecision(models.Model):
    """What one reviewer decided, bound to the hashes of what they saw."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="decisions")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=20)
    comment = models.TextField(blank=True)
    content_hash = models.CharField(max_length=64)
    config_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["review", "reviewer"],
                condition=Q(decision="approve"),
                name="review_decision_one_approval_per_reviewer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision} by {self.reviewer_id}"
