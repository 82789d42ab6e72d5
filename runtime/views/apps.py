"""Runtime apps: register, list, retrieve, change, rotate the client secret."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from runtime.models import CapabilityTemplate, RuntimeApp
from runtime.registration import register_runtime_app, rotate_client_secret, update_runtime_app
from runtime.serializers.apps import (
    ClientSecretOut,
    RegistrationOut,
    RotateSecretBody,
    RuntimeAppCreateBody,
    RuntimeAppOut,
    RuntimeAppPatchBody,
    render_registration,
    render_runtime_app,
)
from runtime.views.base import RuntimeView

TAGS = ["Runtime apps"]
REGISTER_EXAMPLE = OpenApiExample(
    "Acme Weather",
    request_only=True,
    value={
        "name": "Acme Weather",
        "description": "Real-time weather data and forecasts",
        "homepage_url": "https://acmeweather.com",
        "runtime_url": "https://api.acmeweather.com/aiffinity",
        "redirect_uris": ["https://acmeweather.com/callback"],
        "webhook_url": "https://acmeweather.com/webhooks/aiffinity",
        "health_check_url": "https://acmeweather.com/health",
        "logo_url": "https://acmeweather.com/logo-512.png",
    },
)


class RuntimeAppListView(RuntimeView):
    """All runtime apps of the account."""

    one_time_fields = ("signing_secret", "client_secret")
    documented_errors = (404,)

    @extend_schema(
        operation_id="registerRuntimeApp",
        summary="Register a runtime app",
        tags=TAGS,
        request=RuntimeAppCreateBody,
        responses={201: RegistrationOut},
        examples=[REGISTER_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Bind a service to an app; its secrets are in this answer alone."""
        registration = register_runtime_app(self.account, actor=self.actor, fields=self.read(RuntimeAppCreateBody))
        return Response(render_registration(registration), status=201)

    @extend_schema(
        operation_id="listRuntimeApps",
        summary="List your runtime apps",
        tags=TAGS,
        responses=RuntimeAppOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """List the newest first."""
        apps = RuntimeApp.objects.for_account(self.account).with_configuration()
        return self.paginate(apps.order_by("-created_at", "-pk"), render)


class RuntimeAppView(RuntimeView):
    """One runtime app."""

    moving_fields = ("health_status", "health_checked_at", "last_invocation_at")

    @extend_schema(operation_id="getRuntimeApp", summary="Retrieve a runtime app", tags=TAGS, responses=RuntimeAppOut)
    def get(self, request: Request, app_id: str) -> Response:
        """Answer the app with its profiles, capability templates and health."""
        return Response(render(self.runtime_app(app_id)))

    @extend_schema(
        operation_id="updateRuntimeApp",
        summary="Update a runtime app",
        tags=TAGS,
        request=RuntimeAppPatchBody,
        responses=RuntimeAppOut,
        examples=[
            OpenApiExample(
                "Health URL",
                request_only=True,
                value={"health_check_url": "https://acmeweather.com/healthz"},
            )
        ],
    )
    def patch(self, request: Request, app_id: str) -> Response:
        """Change the given fields."""
        changed = update_runtime_app(self.runtime_app(app_id), actor=self.actor, fields=self.read(RuntimeAppPatchBody))
        return Response(render(changed))


class RotateSecretView(RuntimeView):
    """The client secret of an app."""

    one_time_fields = ("client_secret",)

    @extend_schema(
        operation_id="rotateClientSecret",
        summary="Rotate the client secret",
        tags=TAGS,
        request=RotateSecretBody,
        responses=ClientSecretOut,
    )
    def post(self, request: Request, app_id: str) -> Response:
        """Make a new client secret; the previous one stays good for the grace period."""
        grace_period_seconds = self.read(RotateSecretBody)["grace_period_seconds"]
        app = self.runtime_app(app_id).app
        secret, expires_at = rotate_client_secret(app, actor=self.actor, grace_period_seconds=grace_period_seconds)
        answer = {
            "app_id": app.pk,
            "client_id": app.client_id,
            "client_secret": secret.reveal(),
            "previous_secret_expires_at": expires_at,
        }
        return Response(answer)


def render(runtime_app: RuntimeApp) -> dict[str, object]:
    """Render an app with its templates, from what was fetched ahead where it was."""
    templates: list[CapabilityTemplate] = sorted(runtime_app.templates.all(), key=lambda each: each.name)
    return render_runtime_app(runtime_app, templates)
