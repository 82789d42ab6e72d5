"""Bodies, query parameters and answers of the capabilities room."""

import zoneinfo
from functools import lru_cache
from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from aiffinity.lib.cursors import cursor_field
from aiffinity.lib.serializers import JsonObjectField, StrictBooleanField, StrictSerializer, TextField
from capabilities.calls import DEFAULT_LOCALE, DEFAULT_TIMEZONE, CallContext
from runtime.descriptors import MODES

is_locale = RegexValidator(
    r"\A[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}\Z", "Send a BCP 47 language tag such as nb-NO.", code="invalid"
)


@lru_cache(maxsize=1)
def timezone_names() -> frozenset[str]:
    """Return the names of all IANA time zones."""
    return frozenset(zoneinfo.available_timezones())


class ContextBody(StrictSerializer):
    """What the caller says about the user."""

    locale = TextField(
        default=DEFAULT_LOCALE, max_length=35, validators=[is_locale], help_text="BCP 47, such as nb-NO."
    )
    timezone = TextField(default=DEFAULT_TIMEZONE, max_length=64, help_text="IANA name, such as Europe/Oslo.")

    def validate_timezone(self, value: str) -> str:
        """Refuse unknown time zones."""
        if value not in timezone_names():
            raise serializers.ValidationError("Send an IANA time zone such as Europe/Oslo.", code="invalid")
        return value

    def to_internal_value(self, data: Any) -> CallContext:
        """Return the context of a call."""
        return CallContext(**super().to_internal_value(data))


class InvokeBody(StrictSerializer):
    """A call: `params` by the capability's input schema."""

    params = JsonObjectField(default=dict, help_text="By the capability's input schema; never renamed.")
    install_id = TextField(
        required=False, allow_null=True, max_length=40, help_text="A user with one matching install may leave it out."
    )
    context = ContextBody(required=False, help_text="The user's locale and time zone.")  # type: ignore[assignment]


class ActionBody(InvokeBody):
    """A call of an action."""

    confirmed = StrictBooleanField(default=False, help_text="The user said yes to exactly this call.")


class InstallQuery(serializers.Serializer[Any]):
    """Which install is read."""

    install_id = serializers.CharField(
        required=False, max_length=40, help_text="A user with one matching install may leave it out."
    )


class HistoryQuery(serializers.Serializer[Any]):
    """Which part of the log is read."""

    since = serializers.DateTimeField(required=False, help_text="Calls from this moment on.")
    limit = serializers.IntegerField(min_value=1, max_value=100, default=100, help_text="Calls on the page.")
    offset = serializers.IntegerField(min_value=0, max_value=100_000, default=0, help_text="Calls to skip.")
    cursor = cursor_field()


class CapabilityQuery(serializers.Serializer[Any]):
    """Which capabilities are listed."""

    app_id = serializers.CharField(required=False, max_length=40, help_text="Only those of this app.")


class AnswerOut(serializers.Serializer[Any]):
    """The answer to a call."""

    invocation_id = serializers.CharField()
    status = serializers.ChoiceField(choices=["ok", "pending"])
    data = serializers.JSONField(help_text="By the capability's schema.")  # type: ignore[assignment]
    ttl = serializers.IntegerField(allow_null=True, help_text="Seconds for which the answer is fresh.")
    cached = serializers.BooleanField(help_text="The provider was not asked for this answer.")
    stale = serializers.BooleanField(help_text="The provider fails; this is its last good answer.")
    fetched_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="For the next page in mode history.")
    latency_ms = serializers.IntegerField()


class InvocationErrorOut(serializers.Serializer[Any]):
    """Why a call failed."""

    code = serializers.CharField()
    message = serializers.CharField()


class InvocationOut(serializers.Serializer[Any]):
    """One call in the log."""

    id = serializers.CharField()
    capability_id = serializers.CharField()
    capability = serializers.CharField()
    mode = serializers.ChoiceField(choices=MODES)
    app_id = serializers.CharField()
    install_id = serializers.CharField()
    version_id = serializers.CharField()
    user_id = serializers.CharField(help_text="Opaque, stable per user and app.")
    status = serializers.ChoiceField(choices=["pending", "ok", "error"])
    cached = serializers.BooleanField()
    latency_ms = serializers.IntegerField()
    error = InvocationErrorOut(allow_null=True)
    created_at = serializers.DateTimeField()


class CapabilityOut(serializers.Serializer[Any]):
    """A capability of the account: the template that later versions copy."""

    id = serializers.CharField()
    app_id = serializers.CharField()
    name = serializers.CharField()
    mode = serializers.ChoiceField(choices=MODES)
    description = serializers.CharField()
    schema = JsonObjectField()
    risk_level = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
