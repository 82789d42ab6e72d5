"""Named secrets of a runtime app; values go in and never come out."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.crypto import Secret
from runtime.models import NamedSecret
from runtime.named_secrets import delete_named_secret, get_named_secret, set_named_secret
from runtime.serializers.secrets import SecretBody, SecretOut, render_secret
from runtime.views.base import RuntimeView

TAGS = ["Secrets"]
LISTED_EXAMPLE = OpenApiExample(
    "A key and its times",
    response_only=True,
    value={"key": "WEATHER_API_KEY", "created_at": "2026-04-04T10:05:00Z", "updated_at": "2026-04-04T10:05:00Z"},
)


class SecretListView(RuntimeView):
    """All named secrets of an app."""

    @extend_schema(
        operation_id="listSecrets",
        summary="List the keys of an app's secrets",
        tags=TAGS,
        responses=SecretOut(many=True),
        examples=[LISTED_EXAMPLE],
    )
    def get(self, request: Request, app_id: str) -> Response:
        """List them by key."""
        rows = NamedSecret.objects.filter(runtime_app=self.runtime_app(app_id)).order_by("key")
        return self.paginate(rows, render_secret)


class SecretView(RuntimeView):
    """One named secret."""

    @extend_schema(
        operation_id="putSecret",
        summary="Set a secret",
        tags=TAGS,
        request=SecretBody,
        responses={200: SecretOut, 201: SecretOut},
        examples=[OpenApiExample("A key", request_only=True, value={"value": "wk_live_abc123def456"})],
    )
    def put(self, request: Request, app_id: str, key: str) -> Response:
        """Store or replace the value under a key."""
        runtime_app = self.runtime_app(app_id)
        value = Secret(self.read(SecretBody)["value"])
        row, is_new = set_named_secret(runtime_app, key, value, actor=self.actor)
        return Response(render_secret(row), status=201 if is_new else 200)

    @extend_schema(operation_id="getSecret", summary="Retrieve a secret's times", tags=TAGS, responses=SecretOut)
    def get(self, request: Request, app_id: str, key: str) -> Response:
        """Answer the key and its times, never the value."""
        return Response(render_secret(get_named_secret(self.runtime_app(app_id), key)))

    @extend_schema(operation_id="deleteSecret", summary="Delete a secret", tags=TAGS, responses=SecretOut)
    def delete(self, request: Request, app_id: str, key: str) -> Response:
        """Erase a secret."""
        return Response(render_secret(delete_named_secret(self.runtime_app(app_id), key, actor=self.actor)))
