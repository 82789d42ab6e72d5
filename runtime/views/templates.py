"""Capability templates of a runtime app (decision 5)."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from runtime.models import CapabilityTemplate
from runtime.serializers.templates import DescriptorBody, DescriptorPatchBody, TemplateOut, render_template
from runtime.templates import (
    change_template,
    create_template,
    delete_template,
    require_descriptor,
    require_template,
    upsert_template,
)
from runtime.views.base import RuntimeView

TAGS = ["Capability templates"]
STATE_EXAMPLE = OpenApiExample(
    "A state capability",
    request_only=True,
    value={
        "name": "current_weather",
        "mode": "state",
        "description": "Current weather conditions for a location",
        "refresh_interval_seconds": 900,
        "schema": {
            "type": "object",
            "properties": {
                "location": {"type": "string"},
                "temperature_c": {"type": "number"},
                "condition": {
                    "type": "string",
                    "enum": ["sunny", "cloudy", "rainy", "snowy", "windy", "stormy"],
                },
                "humidity_pct": {"type": "number", "minimum": 0, "maximum": 100},
            },
            "required": ["location", "temperature_c", "condition"],
        },
        "surface_guidance": {
            "intent": "ambient_context",
            "placement": ["home_widgets", "daily_brief"],
            "preferred_components": ["stat_row", "sparkline"],
        },
    },
)


class TemplateListView(RuntimeView):
    """All capability templates of an app."""

    @extend_schema(
        operation_id="createCapabilityTemplate",
        summary="Register a capability template",
        tags=TAGS,
        request=DescriptorBody,
        responses={201: TemplateOut},
        examples=[STATE_EXAMPLE],
    )
    def post(self, request: Request, app_id: str) -> Response:
        """Make a template by its name; a name in use is 409."""
        runtime_app = self.runtime_app(app_id)
        template = create_template(runtime_app, require_descriptor(request.data), actor=self.actor)
        return Response(render_template(template), status=201)

    @extend_schema(
        operation_id="listCapabilityTemplates",
        summary="List the capability templates of an app",
        tags=TAGS,
        responses=TemplateOut(many=True),
    )
    def get(self, request: Request, app_id: str) -> Response:
        """List them by name."""
        templates = CapabilityTemplate.objects.filter(runtime_app=self.runtime_app(app_id)).order_by("name")
        return self.paginate(templates, render_template)


class UpsertTemplateView(RuntimeView):
    """The upsert of a capability template."""

    @extend_schema(
        operation_id="putCapabilityTemplate",
        summary="Create or replace a capability template by its name",
        tags=TAGS,
        request=DescriptorBody,
        responses={200: TemplateOut, 201: TemplateOut},
        examples=[STATE_EXAMPLE],
    )
    def put(self, request: Request, app_id: str) -> Response:
        """Make or replace a template; versions keep the copies that they have made."""
        runtime_app = self.runtime_app(app_id)
        template, is_new = upsert_template(runtime_app, require_descriptor(request.data), actor=self.actor)
        return Response(render_template(template), status=201 if is_new else 200)

    def current(self, request: Request, **kwargs: Any) -> Response:
        """Answer the template that the body names."""
        runtime_app = self.runtime_app(kwargs["app_id"])
        name = require_descriptor(request.data)["name"]
        return Response(render_template(require_template(runtime_app, name)))

    @extend_schema(
        operation_id="listCapabilityTemplatesByTemplatePath",
        summary="List the capability templates of an app (the same as `capabilities`)",
        tags=TAGS,
        responses=TemplateOut(many=True),
    )
    def get(self, request: Request, app_id: str) -> Response:
        """List them by name."""
        templates = CapabilityTemplate.objects.filter(runtime_app=self.runtime_app(app_id)).order_by("name")
        return self.paginate(templates, render_template)


class TemplateView(RuntimeView):
    """One capability template by its name."""

    @extend_schema(
        operation_id="getCapabilityTemplate",
        summary="Retrieve a capability template",
        tags=TAGS,
        responses=TemplateOut,
    )
    def get(self, request: Request, app_id: str, name: str) -> Response:
        """Answer the template."""
        return Response(render_template(require_template(self.runtime_app(app_id), name)))

    @extend_schema(
        operation_id="updateCapabilityTemplate",
        summary="Change a capability template",
        tags=TAGS,
        request=DescriptorPatchBody,
        responses=TemplateOut,
    )
    def patch(self, request: Request, app_id: str, name: str) -> Response:
        """Change the given fields; the name stays."""
        template = change_template(self.runtime_app(app_id), name, request.data, actor=self.actor)
        return Response(render_template(template))

    @extend_schema(
        operation_id="deleteCapabilityTemplate",
        summary="Delete a capability template",
        tags=TAGS,
        responses=TemplateOut,
    )
    def delete(self, request: Request, app_id: str, name: str) -> Response:
        """Delete a template that no version holds."""
        return Response(render_template(delete_template(self.runtime_app(app_id), name, actor=self.actor)))
