"""Auth profile, webhook profile and signing secret of a runtime app (decisions 4 and 6)."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from runtime.auth_profiles import auth_secrets, put_auth_profile, require_auth_profile
from runtime.models import RuntimeApp
from runtime.serializers.auth_profiles import AuthProfileBody, AuthProfileOut, render_auth_profile
from runtime.serializers.webhooks import (
    CredentialSecretBody,
    CredentialSecretOut,
    WebhookProfileBody,
    WebhookProfileOut,
    render_webhook_profile,
)
from runtime.signing_secrets import set_signing_secret
from runtime.views.base import RuntimeView
from runtime.webhook_profiles import put_webhook_profile, require_webhook_profile

AUTH_TAGS = ["Auth profiles"]
WEBHOOK_TAGS = ["Webhook profiles"]
OAUTH2_EXAMPLE = OpenApiExample(
    "OAuth 2.1",
    request_only=True,
    value={
        "strategy": "oauth2",
        "oauth2": {
            "authorization_url": "https://acmeweather.com/oauth/authorize",
            "token_url": "https://acmeweather.com/oauth/token",
            "revocation_url": "https://acmeweather.com/oauth/revoke",
            "scopes": ["weather:read", "forecast:read"],
            "pkce_required": True,
            "token_endpoint_auth_method": "client_secret_post",
        },
    },
)
WEBHOOK_EXAMPLE = OpenApiExample(
    "Acme Weather",
    request_only=True,
    value={
        "url": "https://acmeweather.com/webhooks/aiffinity",
        "events": ["package.submitted", "package.published", "install.created"],
        "signature": {
            "algorithm": "hmac-sha256",
            "header": "X-Aiffinity-Signature",
            "secret": "whsec_your-signing-secret",
        },
        "timeout_ms": 5000,
        "retry_policy": {
            "max_retries": 5,
            "backoff": "exponential",
            "initial_delay_ms": 1000,
            "max_delay_ms": 300000,
            "max_elapsed_hours": 24,
        },
    },
)


class AuthProfileView(RuntimeView):
    """How an app authenticates its users."""

    @extend_schema(
        operation_id="putAuthProfile",
        summary="Set the auth profile",
        tags=AUTH_TAGS,
        request=AuthProfileBody,
        responses={200: AuthProfileOut, 201: AuthProfileOut},
        examples=[OAUTH2_EXAMPLE],
    )
    def put(self, request: Request, app_id: str) -> Response:
        """Replace the profile; write-only fields that are left out stay as they are."""
        runtime_app = self.runtime_app(app_id)
        is_new = runtime_app.auth_profile is None
        changed = put_auth_profile(runtime_app, actor=self.actor, **self.read(AuthProfileBody))
        return Response(_render_auth(changed), status=201 if is_new else 200)

    @extend_schema(
        operation_id="getAuthProfile",
        summary="Retrieve the auth profile",
        tags=AUTH_TAGS,
        responses=AuthProfileOut,
    )
    def get(self, request: Request, app_id: str) -> Response:
        """Answer the profile without its secrets."""
        return Response(_render_auth(self.runtime_app(app_id)))


class WebhookProfileView(RuntimeView):
    """Where and how an app wants its events."""

    moving_fields = ("failing_since",)

    @extend_schema(
        operation_id="putWebhookProfile",
        summary="Set the webhook profile",
        tags=WEBHOOK_TAGS,
        request=WebhookProfileBody,
        responses={200: WebhookProfileOut, 201: WebhookProfileOut},
        examples=[WEBHOOK_EXAMPLE],
    )
    def put(self, request: Request, app_id: str) -> Response:
        """Replace the profile and enable deliveries; without a secret the signing secret stays."""
        runtime_app = self.runtime_app(app_id)
        endpoint, is_new = put_webhook_profile(runtime_app, actor=self.actor, **self.read(WebhookProfileBody))
        return Response(render_webhook_profile(endpoint), status=201 if is_new else 200)

    @extend_schema(
        operation_id="getWebhookProfile",
        summary="Retrieve the webhook profile",
        tags=WEBHOOK_TAGS,
        responses=WebhookProfileOut,
    )
    def get(self, request: Request, app_id: str) -> Response:
        """Answer the profile without its secret."""
        return Response(render_webhook_profile(require_webhook_profile(self.runtime_app(app_id))))


class CredentialSecretView(RuntimeView):
    """The signing secret of an app (decision 6)."""

    one_time_fields = ("signing_secret",)

    @extend_schema(
        operation_id="putCredentialSecret",
        summary="Set or rotate the signing secret",
        tags=WEBHOOK_TAGS,
        request=CredentialSecretBody,
        responses=CredentialSecretOut,
    )
    def put(self, request: Request, app_id: str) -> Response:
        """Set the given secret, or make a new one; it is in this answer alone."""
        value = self.read(CredentialSecretBody).get("secret")
        runtime_app = self.runtime_app(app_id)
        secret = set_signing_secret(runtime_app, actor=self.actor, value=value)
        return Response({**_render_signing(runtime_app), "signing_secret": secret.reveal()})

    def current(self, request: Request, **kwargs: Any) -> Response:
        """Answer what can be told about the secret that stands."""
        return Response(_render_signing(self.runtime_app(kwargs["app_id"])))


def _render_signing(runtime_app: RuntimeApp) -> dict[str, Any]:
    expires_at = runtime_app.previous_signing_secret_expires_at
    return {"app_id": runtime_app.pk, "previous_secret_expires_at": expires_at}


def _render_auth(runtime_app: RuntimeApp) -> dict[str, Any]:
    profile = require_auth_profile(runtime_app)
    return render_auth_profile(runtime_app.pk, profile, auth_secrets(runtime_app))
