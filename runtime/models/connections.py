"""Connections: a user's access at the provider's own service, for one install, and the requests to make one."""

from typing import Self

from django.db import models
from django.db.models import Q

from aiffinity.lib.ids import IdField
from providers.models import App, User
from runtime.models.apps import RuntimeApp


class ConnectionStatus(models.TextChoices):
    """Whether a connection works."""

    ACTIVE = "active"
    RECONNECT_REQUIRED = "reconnect_required"
    REVOKING = "revoking"


class ConnectionQuerySet(models.QuerySet["Connection"]):
    """Queries on connections."""

    def standing(self) -> Self:
        """Leave out what is being revoked."""
        return self.exclude(status=ConnectionStatus.REVOKING)

    def for_user(self, user: User) -> Self:
        """Return the user's own connections: the only door for a user."""
        return self.filter(user=user)

    def of_app(self, app: App) -> Self:
        """Return all connections of an app."""
        return self.filter(runtime_app_id=app.pk)


class Connection(models.Model):
    """A user's access for one install; the retry state of its refresh, or of its revocation, lives here alone.

    `next_attempt_at` is when the access token is refreshed, or, while it is being revoked, when that is tried
    next, until `revoke_until` at the latest. Whoever works on it holds `lease_until`, and a result counts only
    under the fence of its claim.
    """

    id = IdField("conn")
    install_id = models.CharField(max_length=40)
    runtime_app = models.ForeignKey(RuntimeApp, on_delete=models.PROTECT, related_name="connections")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="connections")
    strategy = models.CharField(max_length=20)
    status = models.CharField(max_length=20, choices=ConnectionStatus.choices, default=ConnectionStatus.ACTIVE)
    sealed_content = models.TextField(help_text="Sealed JSON: tokens, the key, or the fields.")
    scopes = models.JSONField(default=list)
    authority_hash = models.CharField(max_length=64, help_text="Of the part of the profile that it was made with.")
    expires_at = models.DateTimeField(null=True, help_text="When the access token ends.")
    next_attempt_at = models.DateTimeField(null=True)
    attempts_made = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    revoke_until = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, blank=True)
    connected_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        permissions = [("operate_connections", "Can revoke connections and require new ones")]
        constraints = [
            models.UniqueConstraint(
                fields=["install_id"], condition=~Q(status=ConnectionStatus.REVOKING), name="connection_one_per_install"
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="connection_due"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.status}"


class AuthorizationRequest(models.Model):
    """A user on the way to the provider's consent page: single use, ten minutes, bound to user and install.

    Its state stands here hashed; the code verifier of PKCE sealed.
    """

    id = IdField("oar")
    state_hash = models.CharField(max_length=64, unique=True)
    install_id = models.CharField(max_length=40)
    runtime_app = models.ForeignKey(RuntimeApp, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    sealed_code_verifier = models.TextField()
    authority_hash = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="authorization_request_expiry")]

    def __str__(self) -> str:
        return self.pk
