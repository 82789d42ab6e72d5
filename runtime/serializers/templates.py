"""Answers for capability templates; their bodies are judged by runtime.descriptors as a whole."""

from typing import Any

from rest_framework import serializers

from aiffinity.lib.serializers import JsonObjectField, StrictSerializer
from runtime.descriptor_fields import MAX_EVENTS, MAX_EXAMPLES, MAX_PERMISSIONS
from runtime.descriptors import MODES
from runtime.models import CapabilityTemplate
from runtime.risk_tiers import RISK_TIERS
from runtime.surface_guidance import COMPONENTS, INTENTS, PLACEMENTS


class SurfaceGuidanceBody(StrictSerializer):
    """Hints for the surface, which it may follow or not."""

    intent = serializers.ChoiceField(choices=INTENTS, required=False, help_text="What it is for.")
    placement = serializers.ListField(
        child=serializers.ChoiceField(choices=PLACEMENTS),
        max_length=len(PLACEMENTS),
        required=False,
        help_text="Where it may stand.",
    )
    preferred_components = serializers.ListField(
        child=serializers.ChoiceField(choices=COMPONENTS),
        max_length=len(COMPONENTS),
        required=False,
        help_text="How it may look, the best first.",
    )


class ExampleBody(StrictSerializer):
    """One call of a capability with its answer."""

    params = JsonObjectField(required=False, help_text="The params of the call.")
    data = serializers.JSONField(  # type: ignore[assignment]  # The documents name it so.
        help_text="What the call answers with."
    )


class DescriptorBody(StrictSerializer):
    """A capability descriptor; which fields belong to which mode stands with each."""

    name = serializers.RegexField(
        r"^[a-z][a-z0-9_]{1,63}$", help_text="Small letters, digits and underscores, a letter first."
    )
    mode = serializers.ChoiceField(choices=MODES)
    description = serializers.CharField(max_length=280)
    schema = JsonObjectField(help_text="JSON Schema 2020-12 of the answer, or {input, output}.")
    risk_level = serializers.ChoiceField(choices=RISK_TIERS, required=False)
    permissions = serializers.ListField(
        child=serializers.RegexField(r"^[\x21\x23-\x5b\x5d-\x7e]{1,128}$"), max_length=MAX_PERMISSIONS, required=False
    )
    surface_guidance = SurfaceGuidanceBody(required=False, help_text="Hints for the surface.")
    examples = serializers.ListField(
        child=ExampleBody(), max_length=MAX_EXAMPLES, required=False, help_text="Calls with their answers."
    )
    refresh_interval_seconds = serializers.IntegerField(
        min_value=60, max_value=86_400, required=False, help_text="Mode state."
    )
    confirmation_required = serializers.BooleanField(required=False, help_text="Mode action.")
    max_items_per_page = serializers.IntegerField(min_value=1, max_value=100, required=False, help_text="Mode history.")
    cursor_field = serializers.CharField(max_length=128, required=False, help_text="Mode history.")
    protocol = serializers.ChoiceField(choices=["sse", "websocket"], required=False, help_text="Mode realtime.")
    heartbeat_interval_seconds = serializers.IntegerField(
        min_value=5, max_value=120, required=False, help_text="Mode realtime."
    )
    events = serializers.ListField(
        child=serializers.RegexField(r"^[a-z][a-z0-9_.]{0,63}$"),
        min_length=1,
        max_length=MAX_EVENTS,
        required=False,
        help_text="Mode webhook.",
    )
    signature_header = serializers.RegexField(
        r"^[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?$", required=False, help_text="Mode webhook."
    )


class DescriptorPatchBody(DescriptorBody):
    """Changes of a capability descriptor, which keeps its name."""

    name = None  # type: ignore[assignment]  # How DRF leaves a field of the base out.


class TemplateOut(DescriptorBody):
    """A capability template: its descriptor in canonical form."""

    id = serializers.CharField()
    app_id = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def render_template(template: CapabilityTemplate) -> dict[str, Any]:
    """Render a template."""
    return {
        "id": template.pk,
        "app_id": template.runtime_app_id,
        **template.descriptor,
        "created_at": template.created_at,
        "updated_at": template.updated_at,
    }
