"""Bodies and answers for runtime apps."""

from typing import Any

from rest_framework import serializers

from aiffinity.lib.serializers import StrictIntegerField, StrictSerializer, TextField
from providers.serializers import ProseField, UrlField
from runtime.auth_profiles import auth_secrets
from runtime.models import CapabilityTemplate, HealthStatus, RuntimeApp, RuntimeStatus
from runtime.registration import Registration
from runtime.serializers.auth_profiles import AuthProfileOut, render_auth_profile
from runtime.serializers.fields import BaseUrlField
from runtime.serializers.templates import render_template
from runtime.serializers.webhooks import WebhookProfileOut, render_webhook_profile

MAX_REDIRECT_URIS = 5
MAX_GRACE_SECONDS = 604_800
DEFAULT_GRACE_SECONDS = 86_400
SETTABLE_STATUSES = (RuntimeStatus.ACTIVE.value, RuntimeStatus.PAUSED.value)


class _AppFields(StrictSerializer):
    name = ProseField(max_length=80, required=False, help_text="Display name in catalog and console.")
    description = ProseField(max_length=280, required=False, help_text="Short description of the service.")
    homepage_url = UrlField(required=False, allow_blank=True)
    redirect_uris = serializers.ListField(child=UrlField(), max_length=MAX_REDIRECT_URIS, required=False)
    webhook_url = UrlField(required=False, allow_blank=True, help_text="Receives platform events.")
    health_check_url = UrlField(required=False, allow_blank=True, help_text="Asked every 60 seconds.")
    logo_url = UrlField(required=False, allow_blank=True, help_text="Square PNG or SVG, at least 256 px.")
    runtime_url = BaseUrlField(help_text="Base URL of execute calls.")


class RuntimeAppCreateBody(_AppFields):
    """Registers a runtime app, for an app that exists or together with a new one."""

    json_schema = {"anyOf": [{"required": ["app_id"]}, {"required": ["name", "description"]}]}

    app_id = TextField(max_length=40, required=False, help_text="Binds to this app; `runtime_url` is enough then.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for name and description where a new app is made."""
        missing = [] if "app_id" in attrs else [name for name in ("name", "description") if name not in attrs]
        if missing:
            required = serializers.ErrorDetail("This field is required without an app_id.", code="required")
            raise serializers.ValidationError({name: [required] for name in missing})
        return attrs


class RuntimeAppPatchBody(_AppFields):
    """Changes the given fields of a runtime app."""

    status = serializers.ChoiceField(choices=SETTABLE_STATUSES, required=False)


class RotateSecretBody(StrictSerializer):
    """Rotates the client secret."""

    grace_period_seconds = StrictIntegerField(
        min_value=0,
        max_value=MAX_GRACE_SECONDS,
        default=DEFAULT_GRACE_SECONDS,
        help_text="How long the previous secret stays good.",
    )


class RuntimeAppOut(serializers.Serializer[Any]):
    """A runtime app with all that is configured on it; never a secret."""

    id = serializers.CharField()
    app_id = serializers.CharField()
    client_id = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    status = serializers.ChoiceField(choices=RuntimeStatus.choices)
    runtime_url = serializers.CharField()
    health_check_url = serializers.CharField()
    homepage_url = serializers.CharField()
    logo_url = serializers.CharField()
    redirect_uris = serializers.ListField(child=serializers.CharField())
    webhook_url = serializers.CharField()
    auth_profile = AuthProfileOut(allow_null=True)
    webhook_profile = WebhookProfileOut(allow_null=True)
    capabilities = serializers.ListField(child=serializers.JSONField())
    health_status = serializers.ChoiceField(choices=HealthStatus.choices)
    health_checked_at = serializers.DateTimeField(allow_null=True)
    last_invocation_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class RegistrationOut(RuntimeAppOut):
    """A fresh runtime app with the secrets that are shown this once."""

    signing_secret = serializers.CharField(required=False, help_text="Shown once: a replayed answer leaves it out.")
    client_secret = serializers.CharField(required=False, help_text="Shown once, where a new app was made.")


class ClientSecretOut(serializers.Serializer[Any]):
    """A fresh client secret, shown once."""

    app_id = serializers.CharField()
    client_id = serializers.CharField()
    client_secret = serializers.CharField(required=False, help_text="Shown once: a replayed answer leaves it out.")
    previous_secret_expires_at = serializers.DateTimeField(allow_null=True)


def render_runtime_app(runtime_app: RuntimeApp, templates: list[CapabilityTemplate]) -> dict[str, Any]:
    """Render a runtime app with its profiles, templates and health."""
    app = runtime_app.app
    endpoint = getattr(runtime_app, "webhook_endpoint", None)
    return {
        "id": app.pk,
        "app_id": app.pk,
        "client_id": app.client_id,
        "name": app.name,
        "description": app.description,
        "status": runtime_app.status,
        "runtime_url": runtime_app.runtime_url,
        "health_check_url": runtime_app.health_check_url,
        "homepage_url": app.homepage_url,
        "logo_url": app.logo_url,
        "redirect_uris": app.redirect_uris,
        "webhook_url": app.webhook_url,
        "auth_profile": (
            render_auth_profile(runtime_app.pk, runtime_app.auth_profile, auth_secrets(runtime_app))
            if runtime_app.auth_profile
            else None
        ),
        "webhook_profile": render_webhook_profile(endpoint) if endpoint else None,
        "capabilities": [render_template(template) for template in templates],
        "health_status": runtime_app.health_status,
        "health_checked_at": runtime_app.health_checked_at,
        "last_invocation_at": runtime_app.last_invocation_at,
        "created_at": runtime_app.created_at,
        "updated_at": max(runtime_app.updated_at, app.updated_at),
    }


def render_registration(registration: Registration) -> dict[str, Any]:
    """Render a fresh runtime app with its one-time secrets."""
    answer = render_runtime_app(registration.runtime_app, [])
    answer["signing_secret"] = registration.signing_secret.reveal()
    if registration.client_secret is not None:
        answer["client_secret"] = registration.client_secret.reveal()
    return answer
