"""Answers for capability templates; their bodies are judged by runtime.descriptors as a whole."""

from typing import Any

from rest_framework import serializers

from aiffinity.lib.serializers import JsonObjectField, StrictSerializer
from runtime.descriptors import MODES
from runtime.models import CapabilityTemplate
from runtime.risk_tiers import RISK_TIERS


class DescriptorBody(StrictSerializer):
    """A capability descriptor; which fields belong to which mode stands with each."""

    name = serializers.RegexField(
        r"^[a-z][a-z0-9_]{1,63}$", help_text="Small letters, digits and underscores, a letter first."
    )
    mode = serializers.ChoiceField(choices=MODES)
    description = serializers.CharField(max_length=280)
    schema = JsonObjectField(help_text="JSON Schema 2020-12 of the answer, or {input, output}.")
    risk_level = serializers.ChoiceField(choices=RISK_TIERS, required=False)
    permissions = serializers.ListField(child=serializers.CharField(), required=False)
    surface_guidance = JsonObjectField(required=False, help_text="{intent, placement, preferred_components}")
    examples = serializers.ListField(child=JsonObjectField(), required=False, help_text="[{params, data}]")
    refresh_interval_seconds = serializers.IntegerField(
        min_value=60, max_value=86_400, required=False, help_text="Mode state."
    )
    confirmation_required = serializers.BooleanField(required=False, help_text="Mode action.")
    max_items_per_page = serializers.IntegerField(min_value=1, max_value=100, required=False, help_text="Mode history.")
    cursor_field = serializers.CharField(required=False, help_text="Mode history.")
    protocol = serializers.ChoiceField(choices=["sse", "websocket"], required=False, help_text="Mode realtime.")
    heartbeat_interval_seconds = serializers.IntegerField(
        min_value=5, max_value=120, required=False, help_text="Mode realtime."
    )
    events = serializers.ListField(child=serializers.CharField(), required=False, help_text="Mode webhook.")
    signature_header = serializers.CharField(required=False, help_text="Mode webhook.")


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
