"""Bodies and answers for versions."""

from typing import Any

from rest_framework import serializers

from aiffinity.lib.serializers import JsonObjectField, StrictBooleanField, StrictSerializer, TextField
from packages.descriptors import MAX_CAPABILITIES
from packages.drift import DriftReport, Level
from packages.models import RiskTier, Version, VersionState
from packages.policy import GateResult
from packages.states import Role, allowed_verbs
from providers.serializers import ProseField

# Verbs that other calls stand for: PATCH on the version, DELETE on the package.
_NOT_CALLS = {"edit", "delist", "lapse"}


def capabilities_field() -> serializers.ListField:
    """Make the field `capabilities` of a body; its items are judged by the verbs as a whole."""
    return serializers.ListField(
        child=serializers.JSONField(),
        min_length=1,
        max_length=MAX_CAPABILITIES,
        help_text="Capability descriptors, or names of the app's capability templates, which are copied.",
    )


class VersionCreateBody(StrictSerializer):
    """`POST …/versions`."""

    capabilities = capabilities_field()
    risk_tier = serializers.ChoiceField(
        choices=RiskTier.values, required=False, help_text="Default: that of the package's newest version."
    )
    changelog = ProseField(max_length=5000, required=False, allow_blank=True)
    version = TextField(
        max_length=40, required=False, help_text="MAJOR.MINOR.PATCH; derived from the drift report by default."
    )
    publish_on_approval = StrictBooleanField(required=False, help_text="List the version as soon as it is approved.")


class VersionPatchBody(VersionCreateBody):
    """`PATCH …/versions/{vid}`."""


class ReasonBody(StrictSerializer):
    """`POST …/suspend`, `…/resume`, `…/withdraw` and `…/rollback`."""

    reason = ProseField(max_length=500, required=False, allow_blank=True, help_text="For the audit log and the event.")


class DiffQuery(serializers.Serializer[Any]):
    """What a version is compared with."""

    against = serializers.CharField(
        max_length=40, required=False, help_text="A version's id; by default the listed version."
    )


class VersionSummaryOut(serializers.Serializer[Any]):
    """A version without its descriptors."""

    id = serializers.CharField()
    package_id = serializers.CharField()
    version = serializers.CharField()
    state = serializers.ChoiceField(choices=VersionState.choices)
    risk_tier = serializers.ChoiceField(choices=RiskTier.choices)
    changelog = serializers.CharField()
    publish_on_approval = serializers.BooleanField()
    content_hash = serializers.CharField()
    first_submitted_at = serializers.DateTimeField(allow_null=True)
    submitted_at = serializers.DateTimeField(allow_null=True)
    approved_at = serializers.DateTimeField(allow_null=True)
    listed_at = serializers.DateTimeField(allow_null=True)
    suspended_by = serializers.CharField(allow_null=True, help_text="provider, reviewer or system.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class GateOut(serializers.Serializer[Any]):
    """A policy gate; the message says what holds, or what to do."""

    name = serializers.CharField()
    passed = serializers.BooleanField()
    message = serializers.CharField()


class VersionOut(VersionSummaryOut):
    """A version with its descriptors, gates and what can be done to it."""

    capabilities = serializers.ListField(child=JsonObjectField(), help_text="Frozen descriptors with `capability_id`.")
    gates = GateOut(many=True)
    allowed_actions = serializers.ListField(child=serializers.CharField(), help_text="Calls that the state allows.")


class ChangeOut(serializers.Serializer[Any]):
    """One change of a drift report."""

    kind = serializers.CharField()
    level = serializers.ChoiceField(choices=[level.value for level in Level])
    pointer = serializers.CharField(help_text="JSON Pointer into the version.")
    message = serializers.CharField()


class DriftOut(serializers.Serializer[Any]):
    """What changed between two versions."""

    version_id = serializers.CharField()
    against = serializers.CharField(allow_null=True)
    level = serializers.ChoiceField(choices=[level.value for level in Level])
    is_breaking = serializers.BooleanField()
    needs_consent = serializers.BooleanField(help_text="Whether users must consent again.")
    bump = serializers.ChoiceField(choices=["major", "minor", "patch"])
    changes = ChangeOut(many=True)


def render_version_summary(version: Version) -> dict[str, Any]:
    """Render a version without its descriptors."""
    return {
        "id": version.pk,
        "package_id": version.package_id,
        "version": version.version,
        "state": version.state,
        "risk_tier": version.risk_tier,
        "changelog": version.changelog,
        "publish_on_approval": version.is_published_on_approval,
        "content_hash": version.content_hash,
        "first_submitted_at": version.first_submitted_at,
        "submitted_at": version.submitted_at,
        "approved_at": version.approved_at,
        "listed_at": version.listed_at,
        "suspended_by": version.suspended_by or None,
        "created_at": version.created_at,
        "updated_at": version.updated_at,
    }


def render_version(version: Version, gates: list[GateResult]) -> dict[str, Any]:
    """Render a version with its gates and what its owner may do."""
    verbs = [verb for verb in allowed_verbs(version.state, Role.PROVIDER) if verb not in _NOT_CALLS]
    return {
        **render_version_summary(version),
        "capabilities": version.capabilities,
        "gates": [gate.as_dict() for gate in gates],
        "allowed_actions": verbs,
    }


def render_drift(version: Version, against: Version | None, report: DriftReport) -> dict[str, Any]:
    """Render a drift report."""
    return {"version_id": version.pk, "against": against.pk if against else None, **report.as_dict()}
