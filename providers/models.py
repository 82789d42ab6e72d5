"""Users, provider accounts, apps (OAuth clients) and their credentials."""

from datetime import datetime
from typing import Any, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone

from aiffinity.lib.ids import IdField

MAX_APPS_PER_ACCOUNT = 10


class UserManager(BaseUserManager["User"]):
    """Makes users; the mail address is stored in lower case."""

    def create_user(self, email: str | None, password: str | None = None, **fields: Any) -> "User":
        """Make a user; without a password it can only sign in through the identity backend."""
        user = self.model(email=email.strip().lower() if email else None, **fields)
        user.set_password(password)
        user.identity_uid = user.identity_uid or user.pk
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str, **fields: Any) -> "User":
        """Make a staff user with every permission."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, is_email_verified=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """Anybody who can hold an ID token or a staff session; outwards known only by an opaque id per app."""

    id = IdField("uid")
    identity_uid = models.CharField(max_length=128, unique=True, help_text="The `sub` of this user's ID tokens.")
    email = models.EmailField(unique=True, null=True)
    is_email_verified = models.BooleanField(default=False)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    tokens_valid_after = models.DateTimeField(
        null=True, editable=False, help_text="ID tokens of before are refused; null while no password was reset."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    objects = UserManager()

    def __str__(self) -> str:
        return self.email or self.identity_uid


class Plan(models.TextChoices):
    """Plan tiers; the calls a minute stand in `providers.throttling`."""

    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class Account(models.Model):
    """A provider company's developer account."""

    id = IdField("acct")
    owner = models.OneToOneField(User, on_delete=models.PROTECT, related_name="account")
    company_name = models.CharField(max_length=120)
    email = models.EmailField(help_text="Where the platform writes to; verified before it is used.")
    email_verified_at = models.DateTimeField(null=True, blank=True)
    plan_tier = models.CharField(max_length=20, choices=Plan.choices, default=Plan.FREE)
    calls_per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="Overrides the plan's calls a minute."
    )
    notification_preferences = models.JSONField(default=dict, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.company_name

    @property
    def verification_status(self) -> str:
        """Return `pending` until the mail address is verified, then `verified`."""
        return "verified" if self.email_verified_at else "pending"

    @property
    def is_suspended(self) -> bool:
        """Say whether the platform suspended the account."""
        return self.suspended_at is not None


class MailTokenPurpose(models.TextChoices):
    """What a token in a mail is good for."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105  # A purpose, not a password.


class MailToken(models.Model):
    """A single-use token sent by mail, stored hashed."""

    token_hash = models.CharField(max_length=64, unique=True)
    purpose = models.CharField(max_length=20, choices=MailTokenPurpose.choices)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="mail_tokens")
    email = models.EmailField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.purpose} for {self.email}"


class RefreshToken(models.Model):
    """A refresh token of the local identity backend, stored hashed; replaying one revokes its family."""

    token_hash = models.CharField(max_length=64, unique=True)
    family = models.CharField(max_length=40, db_index=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="refresh_tokens")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.family} of {self.user_id}"

    @property
    def is_fresh(self) -> bool:
        """Say whether the token was neither used nor revoked."""
        return self.used_at is None and self.revoked_at is None

    @property
    def has_expired(self) -> bool:
        """Say whether the token's days are over."""
        return self.expires_at <= timezone.now()


class AppQuerySet(models.QuerySet["App"]):
    """Queries on apps."""

    def live(self) -> Self:
        """Leave out deleted apps."""
        return self.filter(deleted_at=None)

    def for_account(self, account: Account) -> Self:
        """Return the account's apps: the only door to an owned app."""
        return self.live().filter(account=account)


class App(models.Model):
    """An OAuth client of an account; what app and runtime app both show is stored here once."""

    id = IdField("app")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="apps")
    client_id = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=280, blank=True)
    homepage_url = models.CharField(max_length=2048, blank=True)
    logo_url = models.CharField(max_length=2048, blank=True)
    webhook_url = models.CharField(max_length=2048, blank=True)
    redirect_uris = models.JSONField(default=list, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AppQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account", "-created_at"], name="app_account_created")]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class ClientSecret(models.Model):
    """A client secret, stored as SHA-256; two are live during a rotation."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="client_secrets")
    secret_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"secret of {self.app_id}"

    def is_live(self, at: datetime | None = None) -> bool:
        """Say whether the secret still authenticates."""
        return self.expires_at is None or self.expires_at > (at or timezone.now())


class RevokedToken(models.Model):
    """An access token that was revoked before its end, by its `jti`; every call of an app looks here."""

    jti = models.CharField(max_length=64, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.jti


class SigningKeyUse(models.TextChoices):
    """Which tokens a key signs."""

    ACCESS_TOKEN = "access_token"  # noqa: S105  # A kind of token, not one.
    ID_TOKEN = "id_token"  # noqa: S105  # A kind of token, not one.


class SigningKey(models.Model):
    """An RS256 key that signs tokens; its private half is sealed, retired keys stay in the JWKS."""

    kid = models.CharField(max_length=40, primary_key=True)
    use = models.CharField(max_length=20, choices=SigningKeyUse.choices)
    sealed_private_key = models.TextField()
    public_jwk = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["use"],
                condition=models.Q(retired_at=None),
                name="signing_key_one_active_per_use",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.use} {self.kid}"
