"""Bodies and answers for webhook profiles and the signing secret."""

import difflib
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from aiffinity.lib.serializers import StrictIntegerField, StrictSerializer, TextField
from providers.serializers import SecretTextField, UrlField
from runtime.descriptors import signature_header_problem
from runtime.events import EVENT_GROUPS, EVENT_TYPES, is_event_pattern
from runtime.models import WebhookEndpoint
from runtime.models.webhooks import DEFAULT_RATE_LIMIT, DEFAULT_SIGNATURE_HEADER
from runtime.webhook_profiles import ALGORITHM, BACKOFF

MAX_DELAY_MS = 14_400_000
MAX_RATE_LIMIT = 1000
MIN_SECRET_LENGTH = 8
MAX_SECRET_LENGTH = 512


@extend_schema_field({"type": "string", "pattern": r"^(\*|[a-z]+\.(\*|[a-z_]+))$"})
class EventPatternField(TextField):
    """A type of event, a group such as `package.*`, or `*`."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse unknown types with the nearest known one."""
        pattern = super().to_internal_value(data)
        if not is_event_pattern(pattern):
            known = ["*", *(f"{group}.*" for group in sorted(EVENT_GROUPS)), *EVENT_TYPES]
            near = difflib.get_close_matches(pattern, known, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else " Use a type, a group such as 'package.*', or '*'."
            raise serializers.ValidationError(f"Unknown event type.{hint}", code="unknown_event")
        return pattern


class RangeField(StrictIntegerField):
    """An integer whose every fault names the whole range."""

    def __init__(self, least: int, most: int, **kwargs: Any) -> None:
        self._range = f"Use a whole number from {least} to {most}."
        super().__init__(
            min_value=least,
            max_value=most,
            error_messages=dict.fromkeys(("min_value", "max_value", "null"), self._range),
            **kwargs,
        )

    def to_internal_value(self, data: Any) -> int:
        """Name the range for other JSON types too."""
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as error:
            told = error.detail[0] if isinstance(error.detail, list) else error.detail
            raise serializers.ValidationError(f"{told} {self._range}", code="type") from None


class SignatureBody(StrictSerializer):
    """How deliveries are signed."""

    algorithm = serializers.ChoiceField(
        choices=[ALGORITHM], error_messages={"invalid_choice": f"Use '{ALGORITHM}', the only one."}
    )
    header = TextField(default=DEFAULT_SIGNATURE_HEADER, help_text="The header of the hex signature.")
    secret = SecretTextField(
        min_length=MIN_SECRET_LENGTH,
        max_length=MAX_SECRET_LENGTH,
        required=False,
        help_text="Write-only; becomes the app's signing secret. Without it the secret stays as it is.",
    )

    def validate_header(self, header: str) -> str:
        """Refuse names that steer a connection or the platform."""
        problem = signature_header_problem(header)
        if problem:
            raise serializers.ValidationError(problem, code="header")
        return header


class RetryPolicyBody(StrictSerializer):
    """When failed deliveries are tried again; whichever bound comes first ends it."""

    max_retries = RangeField(0, 30, default=18)
    backoff = serializers.ChoiceField(
        choices=[BACKOFF], default=BACKOFF, error_messages={"invalid_choice": f"Use '{BACKOFF}', the only one."}
    )
    initial_delay_ms = RangeField(100, 60_000, default=1000)
    max_delay_ms = RangeField(100, MAX_DELAY_MS, default=MAX_DELAY_MS)
    max_elapsed_hours = RangeField(1, 72, default=24)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a longest delay below the first."""
        if attrs["max_delay_ms"] < attrs["initial_delay_ms"]:
            least = attrs["initial_delay_ms"]
            text = f"This is shorter than initial_delay_ms. Use {least} to {MAX_DELAY_MS}."
            raise serializers.ValidationError({"max_delay_ms": text})
        return attrs


class WebhookProfileBody(StrictSerializer):
    """Where and how the app wants its events."""

    url = UrlField()
    events = serializers.ListField(child=EventPatternField(), min_length=1, max_length=100)
    signature = SignatureBody(required=False)
    timeout_ms = RangeField(100, 30_000, default=5000)
    rate_limit_per_second = RangeField(
        1, MAX_RATE_LIMIT, default=DEFAULT_RATE_LIMIT, help_text="At most so many attempts a second, retries included."
    )
    retry_policy = RetryPolicyBody(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return `url`, `secret` and the endpoint's columns in `fields`."""
        signature = attrs.get("signature", {})
        retries = dict(attrs.get("retry_policy") or RetryPolicyBody().run_validation({}))
        retries.pop("backoff")
        fields = {
            "events": list(dict.fromkeys(attrs["events"])),
            "signature_header": signature.get("header", DEFAULT_SIGNATURE_HEADER),
            "timeout_ms": attrs["timeout_ms"],
            "rate_limit_per_second": attrs["rate_limit_per_second"],
            **retries,
        }
        return {"url": attrs["url"], "secret": signature.get("secret"), "fields": fields}


class SignatureOut(serializers.Serializer[Any]):
    """How deliveries are signed; the secret is never shown again."""

    algorithm = serializers.CharField()
    header = serializers.CharField()


class RetryPolicyOut(serializers.Serializer[Any]):
    """When failed deliveries are tried again."""

    max_retries = serializers.IntegerField()
    backoff = serializers.CharField()
    initial_delay_ms = serializers.IntegerField()
    max_delay_ms = serializers.IntegerField()
    max_elapsed_hours = serializers.IntegerField()


class WebhookProfileOut(serializers.Serializer[Any]):
    """A webhook profile without its secret; `disabled_reason` says why deliveries stopped."""

    app_id = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    signature = SignatureOut()
    timeout_ms = serializers.IntegerField()
    rate_limit_per_second = serializers.IntegerField(help_text="At most so many attempts a second.")
    retry_policy = RetryPolicyOut()
    enabled = serializers.BooleanField()
    disabled_at = serializers.DateTimeField(allow_null=True)
    disabled_reason = serializers.CharField(allow_null=True)
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="The first failed attempt since the last success; three days later it is disabled."
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class CredentialSecretBody(StrictSerializer):
    """Sets the signing secret, or makes a new one where none is given."""

    secret = SecretTextField(min_length=MIN_SECRET_LENGTH, max_length=MAX_SECRET_LENGTH, required=False)


class CredentialSecretOut(serializers.Serializer[Any]):
    """The signing secret, shown once; the one of before signs along until it expires."""

    app_id = serializers.CharField()
    signing_secret = serializers.CharField(help_text="Shown once.")
    previous_secret_expires_at = serializers.DateTimeField(allow_null=True)


def render_webhook_profile(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """Render a webhook profile."""
    return {
        "app_id": endpoint.pk,
        "url": endpoint.runtime_app.app.webhook_url,
        "events": endpoint.events,
        "signature": {"algorithm": ALGORITHM, "header": endpoint.signature_header},
        "timeout_ms": endpoint.timeout_ms,
        "rate_limit_per_second": endpoint.rate_limit_per_second,
        "retry_policy": {
            "max_retries": endpoint.max_retries,
            "backoff": BACKOFF,
            "initial_delay_ms": endpoint.initial_delay_ms,
            "max_delay_ms": endpoint.max_delay_ms,
            "max_elapsed_hours": endpoint.max_elapsed_hours,
        },
        "enabled": endpoint.disabled_at is None and bool(endpoint.runtime_app.app.webhook_url),
        "disabled_at": endpoint.disabled_at,
        "disabled_reason": endpoint.disabled_reason or None,
        "failing_since": endpoint.failing_since,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
    }
