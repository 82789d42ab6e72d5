"""Bodies and answers of the accounts, apps and token endpoints."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from aiffinity.lib.outbound import UrlRefused, check_url, policy_from_settings
from aiffinity.lib.serializers import StrictBooleanField, StrictIntegerField, StrictSerializer, TextField
from aiffinity.lib.texts import payload_in
from providers.accounts import pending_email
from providers.models import Plan

MAX_REDIRECT_URIS = 5
MAX_URL_LENGTH = 2048


class ProseField(TextField):
    """A text that people will read: no markup, script or control characters in any encoding."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse executable payload."""
        text = super().to_internal_value(data)
        rule = payload_in(text)
        if rule is not None:
            raise serializers.ValidationError(f"Plain text only: this holds {rule}.", code="payload")
        return text


# The egress rules judge the rest. Where a field may be blank the document says so beside this.
@extend_schema_field({"type": "string", "pattern": "^https?://", "maxLength": MAX_URL_LENGTH})
class UrlField(TextField):
    """An address that the platform may call or show: judged by its text alone, never looked up."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_URL_LENGTH, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Refuse every address that the egress rules refuse, naming the rule."""
        url = super().to_internal_value(data)
        if url:
            try:
                check_url(url, policy_from_settings())
            except UrlRefused as exc:
                raise serializers.ValidationError(exc.message, code=exc.rule) from None
        return url


class EmailField(serializers.EmailField):
    """A mail address: a JSON string in lower case."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse other JSON types, which DRF would convert."""
        if not isinstance(data, str):
            raise serializers.ValidationError("Expected a string.", code="type")
        return super().to_internal_value(data).lower()


class SecretTextField(TextField):
    """A password or token: a JSON string, kept to the letter and never echoed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, write_only=True, **kwargs)


class SignUpBody(StrictSerializer):
    """`POST /v1/providers/account`."""

    company_name = ProseField(min_length=1, max_length=120)
    email = EmailField(max_length=254)
    password = SecretTextField(max_length=128)


class SignUpWithTokenBody(StrictSerializer):
    """`POST /v1/providers/account` with an ID token: the user exists, so no password."""

    company_name = ProseField(min_length=1, max_length=120)
    email = EmailField(
        max_length=254, required=False, help_text="The contact address; the user's own where it is left out."
    )


class VerifyBody(StrictSerializer):
    """`POST /v1/providers/account/verify`."""

    token = SecretTextField(max_length=200)


class PasswordResetBody(StrictSerializer):
    """`POST /v1/providers/account/password-reset`."""

    email = EmailField(max_length=254, help_text="The address that you log in with.")


class PasswordResetOut(serializers.Serializer[Any]):
    """What is said whether anybody logs in with the address or not."""

    expires_in = serializers.IntegerField(help_text="How many seconds the mailed token is good for.")


class NewPasswordBody(StrictSerializer):
    """`POST /v1/providers/account/password-reset/confirm`."""

    token = SecretTextField(max_length=200)
    password = SecretTextField(max_length=128)


class LoginBody(StrictSerializer):
    """`POST /v1/providers/account/login`."""

    email = EmailField(max_length=254)
    password = SecretTextField(max_length=128)


class RefreshBody(StrictSerializer):
    """`POST /v1/providers/account/token/refresh`."""

    refresh_token = SecretTextField(max_length=200)


class NotificationPreferences(StrictSerializer):
    """Which mails the account wants besides those that it can't do without."""

    review_decisions = StrictBooleanField(required=False)
    webhook_failures = StrictBooleanField(required=False)
    quality_alerts = StrictBooleanField(required=False)


class AccountPatchBody(StrictSerializer):
    """`PATCH /v1/providers/account`."""

    company_name = ProseField(min_length=1, max_length=120)
    email = EmailField(max_length=254, help_text="Replaces the contact address once it is verified.")
    notification_preferences = NotificationPreferences()


class AccountOut(serializers.Serializer[Any]):
    """A provider account."""

    id = serializers.CharField()
    company_name = serializers.CharField()
    email = serializers.EmailField()
    pending_email = serializers.SerializerMethodField(help_text="An address that waits for verification, or null.")
    verification_status = serializers.ChoiceField(["pending", "verified"])
    plan_tier = serializers.ChoiceField(choices=Plan.choices)
    notification_preferences = NotificationPreferences()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_pending_email(self, account: Any) -> str | None:
        """Return the address that waits."""
        return pending_email(account)


class SignedInOut(serializers.Serializer[Any]):
    """A pair of tokens; `expires_in` is in seconds."""

    id_token = serializers.CharField()
    refresh_token = serializers.CharField()
    expires_in = serializers.IntegerField()
    account = AccountOut(allow_null=True)


class AppBody(StrictSerializer):
    """`POST` and `PATCH /v1/providers/apps`."""

    name = ProseField(min_length=1, max_length=80)
    description = ProseField(max_length=280, required=False, allow_blank=True)
    redirect_uris = serializers.ListField(child=UrlField(), max_length=MAX_REDIRECT_URIS, required=False)
    webhook_url = UrlField(required=False, allow_blank=True)
    homepage_url = UrlField(required=False, allow_blank=True)
    logo_url = UrlField(required=False, allow_blank=True)


class AppOut(serializers.Serializer[Any]):
    """An app, without its secrets."""

    id = serializers.CharField()
    app_id = serializers.CharField(source="id")
    name = serializers.CharField()
    description = serializers.CharField()
    client_id = serializers.CharField()
    redirect_uris = serializers.ListField(child=serializers.CharField())
    webhook_url = serializers.CharField()
    homepage_url = serializers.CharField()
    logo_url = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class AppDeletedOut(AppOut):
    """A deleted app."""

    deleted_at = serializers.DateTimeField()


class AppCreatedOut(AppOut):
    """A new app with its client secret, which is shown only here."""

    client_secret = serializers.CharField(required=False, help_text="Shown once: a replayed answer leaves it out.")


class TokenBody(serializers.Serializer[Any]):
    """`POST /v1/providers/auth/token` (RFC 6749 section 4.4.2), which ignores other parameters (section 3.2)."""

    grant_type = serializers.ChoiceField(["client_credentials"])
    client_id = TextField(required=False, help_text="Or HTTP Basic.")
    client_secret = SecretTextField(required=False)
    scope = TextField(
        required=False, allow_blank=True, help_text="Space-separated; without it the token has every scope."
    )


class TokenOut(serializers.Serializer[Any]):
    """An access token (RFC 6749 section 5.1)."""

    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(["Bearer"])
    expires_in = StrictIntegerField()
    scope = serializers.CharField()


class OwnTokenBody(serializers.Serializer[Any]):
    """`POST /v1/providers/auth/revoke` (RFC 7009 section 2.1) and `…/introspect` (RFC 7662 section 2.1)."""

    token = SecretTextField(help_text="An access token of this client.")
    token_type_hint = TextField(required=False, allow_blank=True, help_text="Ignored: there are access tokens only.")
    client_id = TextField(required=False, help_text="Or HTTP Basic.")
    client_secret = SecretTextField(required=False)


class RevokedOut(serializers.Serializer[Any]):
    """An empty object (RFC 7009 section 2.2)."""


class IntrospectionOut(serializers.Serializer[Any]):
    """What a good token says; of any other only `active` is answered (RFC 7662 section 2.2)."""

    active = serializers.BooleanField(help_text="Whether the token is good, and this client's own.")
    scope = serializers.CharField(required=False)
    client_id = serializers.CharField(required=False, help_text="The client that the token was issued to.")
    sub = serializers.CharField(required=False, help_text="The same client.")
    aud = serializers.CharField(required=False, help_text="Who takes the token: the platform's API.")
    iss = serializers.CharField(required=False, help_text="Who issued it.")
    exp = serializers.IntegerField(required=False, help_text="When it ends, in epoch seconds.")
    iat = serializers.IntegerField(required=False, help_text="When it was issued, in epoch seconds.")
    jti = serializers.CharField(required=False, help_text="The token's own id.")
    token_type = serializers.ChoiceField(["Bearer"], required=False)


class OAuthErrorOut(serializers.Serializer[Any]):
    """Why there is no token (RFC 6749 section 5.2)."""

    error = serializers.ChoiceField(
        ["invalid_request", "invalid_client", "invalid_scope", "unauthorized_client", "unsupported_grant_type"]
    )
    error_description = serializers.CharField(required=False)
