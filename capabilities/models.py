"""Installs with their consent, cached states and the record of every invocation."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from aiffinity.lib.ids import IdField
from packages.models import Package, Version
from providers.models import Account, User


class InstallQuerySet(models.QuerySet["Install"]):
    """Queries on installs."""

    def active(self) -> Self:
        """Leave out what was uninstalled."""
        return self.filter(removed_at=None)

    def for_user(self, user: User) -> Self:
        """Return the user's own installs: the only door for a user."""
        return self.active().filter(user=user)

    def for_account(self, account: Account) -> Self:
        """Return the installs of the account's packages: the only door for a provider."""
        return self.active().filter(package__account=account)


class Install(models.Model):
    """One user has one package; the contract is that of the pinned version."""

    id = IdField("inst")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="installs")
    package = models.ForeignKey(Package, on_delete=models.PROTECT, related_name="installs")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="installs")
    consented_permissions = models.JSONField(default=list)
    consented_at = models.DateTimeField()
    params = models.JSONField(default=dict, help_text="Params per capability name, for sync.")
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True)

    objects = InstallQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "package"], condition=Q(removed_at=None), name="install_one_per_user_package"
            ),
        ]
        indexes = [models.Index(fields=["package", "-created_at"], name="install_package_created")]

    def __str__(self) -> str:
        return f"{self.pk} of {self.package_id}"


class CachedState(models.Model):
    """The last good answer of a state capability, per install, version and params."""

    install = models.ForeignKey(Install, on_delete=models.CASCADE, related_name="cached_states")
    capability_id = models.CharField(max_length=40)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    params_hash = models.CharField(max_length=64)
    invocation_id = models.CharField(max_length=40, help_text="The invocation that fetched the answer.")
    data = models.JSONField(null=True)
    ttl_seconds = models.PositiveIntegerField()
    fetched_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["install", "capability_id", "version", "params_hash"], name="cached_state_unique_key"
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="cached_state_expiry")]

    def __str__(self) -> str:
        return f"{self.capability_id} of {self.install_id}"

    @property
    def is_fresh(self) -> bool:
        """Say whether the ttl still lasts."""
        return self.expires_at > timezone.now()


class InvocationStatus(models.TextChoices):
    """How an invocation ended."""

    PENDING = "pending"
    OK = "ok"
    ERROR = "error"


class Invocation(models.Model):
    """One call of a capability; ids are plain columns, so that writing a batch checks no foreign keys."""

    id = IdField("inv")
    app_id = models.CharField(max_length=40)
    capability_id = models.CharField(max_length=40)
    capability = models.CharField(max_length=64)
    mode = models.CharField(max_length=20)
    install_id = models.CharField(max_length=40)
    version_id = models.CharField(max_length=40)
    user_id = models.CharField(max_length=40, help_text="The opaque id that the provider knows.")
    status = models.CharField(max_length=20, choices=InvocationStatus.choices)
    is_cached = models.BooleanField(default=False)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.CharField(max_length=300, blank=True)
    latency_ms = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["capability_id", "-created_at"], name="invocation_capability_time"),
            models.Index(fields=["user_id", "capability_id", "-created_at"], name="invocation_user_time"),
            models.Index(fields=["created_at"], name="invocation_time"),
        ]

    def __str__(self) -> str:
        return f"{self.capability} {self.status} ({self.pk})"
