"""Packages and their versions."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.utils import timezone

from aiffinity.lib.ids import IdField
from aiffinity.lib.views import get_owned
from packages.models.choices import AvailabilityMode, PackageStatus, RiskTier, VersionState
from providers.models import Account, App, User

ORPHANS_LISTED_FOR = timedelta(days=30)


class PackageQuerySet(models.QuerySet["Package"]):
    """Queries on packages."""

    def for_account(self, account: Account) -> Self:
        """Return the account's packages: the only door to an owned one."""
        return self.filter(account=account)

    def get_locked(self, pk: str) -> "Package":
        """Return the row locked until the transaction ends; raises NotFound where it was deleted a moment ago."""
        return get_owned(self.select_for_update(no_key=True), pk)

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
    pending_listing = models.JSONField(
        default=dict, blank=True, help_text="Changed name and images that wait for a reviewer."
    )
    successor = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="predecessors")
    install_count = models.PositiveIntegerField(default=0, help_text="Pushed down by the install verbs.")
    calls_last_hour = models.PositiveIntegerField(default=0, help_text="Pushed down by the capabilities room.")
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
        """Return what the catalog may show; orphans stay 30 days (spec 2 "DELETE /v1/providers/apps")."""
        oldest_deletion = timezone.now() - ORPHANS_LISTED_FOR
        return self.filter(
            Q(package__app__deleted_at=None) | Q(package__app__deleted_at__gt=oldest_deletion),
            state=VersionState.LISTED,
            package__suspended_at=None,
            package__deprecated_at=None,
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
    approved_config = models.JSONField(null=True, help_text="The app's configuration that the approval saw.")
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
        return f"{self.package.name} {self.version}"
