"""Runtime apps: the executable side of an app, its capability templates, secrets and health."""

from typing import Any, Self

from django.db import models
from django.utils import timezone

from aiffinity.lib.errors import NotFound
from aiffinity.lib.ids import IdField
from providers.models import Account, App

MAX_TEMPLATES_PER_APP = 100
MAX_SECRETS_PER_APP = 20


class RuntimeStatus(models.TextChoices):
    """What the provider (active, paused) or the platform (suspended) decided."""

    ACTIVE = "active"
    PAUSED = "paused"
    SUSPENDED = "suspended"


class HealthStatus(models.TextChoices):
    """What the health checks found last."""

    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    DEGRADED = "degraded"


CHECKED_FOR_HEALTH = models.Q(status=RuntimeStatus.ACTIVE) & ~models.Q(health_check_url="")


class RuntimeAppQuerySet(models.QuerySet["RuntimeApp"]):
    """Queries on runtime apps."""

    def for_account(self, account: Account) -> Self:
        """Return the account's runtime apps: the only door to an owned one."""
        return self.filter(app__account=account, app__deleted_at=None).select_related("app")

    def with_configuration(self) -> Self:
        """Fetch what a full answer shows along with the rows."""
        return self.select_related("app", "webhook_endpoint").prefetch_related("templates")

    def checked_for_health(self) -> Self:
        """Return the apps that health checks look at: active ones with a health URL."""
        return self.filter(CHECKED_FOR_HEALTH)

    def get_locked(self, pk: str) -> "RuntimeApp":
        """Return the row locked until the transaction ends, so that quotas and rotations take turns.

        Raises NotFound for an app that was deleted, be it a moment ago: the app is read under the lock.
        """
        locked = self.select_for_update(no_key=True).get(pk=pk)
        if locked.app.deleted_at is not None:
            raise NotFound
        return locked


class RuntimeApp(models.Model):
    """The executable side of an app; one to one with it, under the same id."""

    app = models.OneToOneField(App, on_delete=models.PROTECT, primary_key=True, related_name="runtime_app")
    runtime_url = models.CharField(max_length=2048)
    health_check_url = models.CharField(max_length=2048, blank=True)
    status = models.CharField(max_length=20, choices=RuntimeStatus.choices, default=RuntimeStatus.ACTIVE)
    auth_profile = models.JSONField(null=True, blank=True, help_text="As given, without secrets.")
    sealed_auth_secrets = models.TextField(blank=True, help_text="Sealed JSON of the profile's write-only fields.")
    config_hash = models.CharField(
        max_length=64,
        blank=True,
        help_text="Hash of what an approval of a version binds besides its content.",
    )
    sealed_signing_secret = models.TextField()
    sealed_previous_signing_secret = models.TextField(blank=True)
    previous_signing_secret_expires_at = models.DateTimeField(null=True)
    health_status = models.CharField(max_length=20, choices=HealthStatus.choices, default=HealthStatus.UNKNOWN)
    consecutive_failures = models.PositiveIntegerField(default=0)
    capability_health = models.JSONField(default=dict, help_text="The health body's `capabilities`.")
    provider_version = models.CharField(max_length=80, blank=True)
    uptime_seconds = models.BigIntegerField(null=True)
    health_checked_at = models.DateTimeField(null=True)
    next_health_check_at = models.DateTimeField(
        null=True, default=timezone.now, help_text="The next turn, or the end of the lease; null for a deleted app."
    )
    health_lease_until = models.DateTimeField(null=True)
    health_fence = models.PositiveIntegerField(
        default=0, help_text="Grows with each check; only the newest one writes its result."
    )
    health_failure_posted_at = models.DateTimeField(null=True)
    last_invocation_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = RuntimeAppQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["next_health_check_at"], condition=CHECKED_FOR_HEALTH, name="runtime_app_health_due"),
        ]

    def __str__(self) -> str:
        return f"runtime of {self.app_id}"


class CapabilityTemplateQuerySet(models.QuerySet["CapabilityTemplate"]):
    """Queries on capability templates."""

    def for_account(self, account: Account) -> Self:
        """Return the templates of the account's apps: the only door to an owned one."""
        return self.filter(runtime_app__app__account=account, runtime_app__app__deleted_at=None)


class CapabilityTemplate(models.Model):
    """One contract of an app by name; package versions copy its descriptor when they are made."""

    id = IdField("cap")
    runtime_app = models.ForeignKey(RuntimeApp, on_delete=models.PROTECT, related_name="templates")
    name = models.CharField(max_length=64)
    mode = models.CharField(max_length=20)
    descriptor = models.JSONField(help_text="In the canonical form of runtime.descriptors.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CapabilityTemplateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["runtime_app", "name"], name="capability_template_unique_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class NamedSecret(models.Model):
    """A named secret that handlers get in `context.secrets`; sealed, never answered."""

    runtime_app = models.ForeignKey(RuntimeApp, on_delete=models.PROTECT, related_name="secrets")
    key = models.CharField(max_length=64)
    sealed_value = models.TextField()
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["runtime_app", "key"], name="named_secret_unique_key")]

    def __str__(self) -> str:
        return f"{self.key} of {self.runtime_app_id}"


class HealthCheck(models.Model):
    """One health check: what was seen, and how long it took."""

    # The index below serves the foreign key too; with 1,440 rows an app and day a second one is not free.
    runtime_app = models.ForeignKey(RuntimeApp, on_delete=models.CASCADE, related_name="health_checks", db_index=False)
    checked_at = models.DateTimeField(default=timezone.now)
    is_healthy = models.BooleanField()
    status_code = models.PositiveSmallIntegerField(null=True)
    latency_ms = models.PositiveIntegerField()
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["runtime_app", "-checked_at"], include=["is_healthy"], name="health_check_app_checked"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.runtime_app_id} {'healthy' if self.is_healthy else self.error}"

    def as_dict(self) -> dict[str, Any]:
        """Render one check for the API."""
        return {
            "checked_at": self.checked_at,
            "healthy": self.is_healthy,
            "status_code": self.status_code,
            "latency_ms": self.latency_ms,
            "error": self.error or None,
        }
