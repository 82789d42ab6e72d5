"""The API about itself: the error registry, the OpenAPI document and the page that shows it."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.errors import REGISTRY
from aiffinity.lib.views import PlatformView

PUBLIC_MAX_AGE_SECONDS = 300


class ErrorEntryOut(serializers.Serializer[Any]):
    """One entry of the error registry."""

    code = serializers.CharField(help_text="The stable word in `error.code`.")
    statuses = serializers.ListField(child=serializers.IntegerField(), help_text="The HTTP statuses it comes with.")
    meaning = serializers.CharField(help_text="What went wrong.")
    remedy = serializers.CharField(help_text="What to do about it.")


class ErrorsView(PlatformView):
    """The registry of error codes."""

    permission_classes = (AllowAny,)
    is_paginated = False
    public_max_age_seconds = PUBLIC_MAX_AGE_SECONDS

    @extend_schema(
        operation_id="listErrors",
        summary="List every error code with its meaning and remedy",
        tags=["Reference"],
        responses={200: ErrorEntryOut(many=True)},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """Answer the whole registry."""
        return Response([ErrorEntryOut(entry).data for entry in REGISTRY.values()])


class OpenApiView(PlatformView):
    """The OpenAPI document, generated once a process."""

    permission_classes = (AllowAny,)
    is_bare = True
    public_max_age_seconds = PUBLIC_MAX_AGE_SECONDS

    @extend_schema(
        operation_id="getOpenApiDocument",
        summary="Get this document",
        tags=["Reference"],
        responses={200: {"type": "object", "additionalProperties": {}}},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """Answer the document."""
        return Response(openapi_document())


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI from the platform's own static files, without an inline script."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()
    template_name = "docs/swagger_ui.html"
    url = "/v1/openapi.json"
    url_self = "/docs"


@cache
def openapi_document() -> dict[str, Any]:
    """Generate the document from the code."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    document: dict[str, Any] = generator.get_schema(public=True)  # type: ignore[no-untyped-call]
    return document
