"""Bodies and answers for versions."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from aiffinity.lib.serializers import JsonObjectField, StrictBooleanField, StrictSerializer, TextField
from packages.descriptors import MAX_CAPABILITIES
from packages.drift import DriftReport, Level
from packages.forecast import forecast, queue_position
from packages.holds import hold_of
from packages.models import Review, ReviewKind, RiskTier, Version, VersionState
from packages.policy import GateResult
from packages.serializers.holds import HoldOut
from packages.states import Role, allowed_verbs
from providers.serializers import ProseField

# Verbs that other calls stand for: PATCH on the version, DELETE on the package.
REVIEW_STATES = ("queued", "in_review", "awaiting_provider", "closed")
_NOT_CALLS = {"edit", "delist", "lapse"}


@extend_schema_field(
    {"oneOf": [{"type": "string", "minLength": 2}, {"$ref": "#/components/schemas/DescriptorRequest"}]}
)
class CapabilityField(serializers.JSONField):
    """A descriptor, or the name of a template."""


def capabilities_field() -> serializers.ListField:
    """Make the field `capabilities` of a body; its items are judged by the verbs as a whole."""
    return serializers.ListField(
        child=CapabilityField(),
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


class SubmitBody(StrictSerializer):
    """`POST …/submit`."""

    publish_on_approval = StrictBooleanField(
        required=False, help_text="List the version as soon as it is approved; by default what the version says."
    )


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


class ReviewForecastOut(serializers.Serializer[Any]):
    """The version's open case before reviewers, with its place in the queue."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=ReviewKind.values)
    state = serializers.ChoiceField(choices=REVIEW_STATES)
    position = serializers.IntegerField(allow_null=True, help_text="From 1; null while it waits for you.")
    p50_hours = serializers.FloatField(allow_null=True, help_text="Half of the recent cases took at most so long.")
    p90_hours = serializers.FloatField(allow_null=True, help_text="Nine tenths of them did.")
    due_at = serializers.DateTimeField(help_text="Until when a decision is promised.")
    submitted_at = serializers.DateTimeField(help_text="The first submission; an answer keeps it.")
    claimed = serializers.BooleanField(help_text="Whether a reviewer works on it now.")


class GateOut(serializers.Serializer[Any]):
    """A policy gate; the message says what holds, or what to do."""

    name = serializers.CharField()
    passed = serializers.BooleanField()
    message = serializers.CharField()


class VersionOut(VersionSummaryOut):
    """A version with its descriptors, gates and what can be done to it."""

    capabilities = serializers.ListField(child=JsonObjectField(), help_text="Frozen descriptors with `capability_id`.")
    gates = GateOut(many=True)
    review = ReviewForecastOut(allow_null=True, help_text="The open case before reviewers.")
    hold = HoldOut(allow_null=True, help_text="Why it is held and what to do; null for what is listed and runs.")
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


def render_version(version: Version, gates: list[GateResult], review: Review | None) -> dict[str, Any]:
    """Render a version with its gates, its open case, what holds it up and what its owner may do."""
    hold = hold_of(version, gates, review)
    verbs = [verb for verb in allowed_verbs(version.state, Role.PROVIDER) if verb not in _NOT_CALLS]
    return {
        **render_version_summary(version),
        "capabilities": version.capabilities,
        "gates": [gate.as_dict() for gate in gates],
        "review": render_forecast(review) if review else None,
        "hold": hold.as_dict() if hold else None,
        "allowed_actions": verbs,
    }


def render_forecast(review: Review) -> dict[str, Any]:
    """Render how long an open case will take."""
    expected = forecast(review.tier)
    return {
        "id": review.pk,
        "kind": review.kind,
        "state": review.state,
        "position": queue_position(review),
        "p50_hours": expected.p50_hours,
        "p90_hours": expected.p90_hours,
        "due_at": review.due_at,
        "submitted_at": review.first_submitted_at,
        "claimed": review.is_claimed,
    }


def render_drift(version: Version, against: Version | None, report: DriftReport) -> dict[str, Any]:
    """Render a drift report."""
    return {"version_id": version.pk, "against": against.pk if against else None, **report.as_dict()}
