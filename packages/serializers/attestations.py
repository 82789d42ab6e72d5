"""Bodies and answers for attestations."""

from typing import Any

from rest_framework import serializers

from aiffinity.lib.serializers import StrictSerializer
from packages.models import Attestation, AttestationKind
from packages.tier_requirements import attestation_expires_at
from providers.serializers import ProseField


class AttestationBody(StrictSerializer):
    """One attestation."""

    kind = serializers.ChoiceField(choices=AttestationKind.values)
    statement = ProseField(min_length=1, max_length=5000, help_text="How it is met for this package.")
    signed_by = ProseField(min_length=1, max_length=120, help_text="Name and role of the person who signs.")


class AttestationsBody(StrictSerializer):
    """`POST …/attestations`."""

    attestations = serializers.ListField(
        child=AttestationBody(), min_length=1, max_length=len(AttestationKind), help_text="Each kind at most once."
    )


class AttestationOut(serializers.Serializer[Any]):
    """An attestation; it counts until `expires_at` for every version of the package."""

    id = serializers.CharField()
    version_id = serializers.CharField()
    kind = serializers.ChoiceField(choices=AttestationKind.values)
    statement = serializers.CharField()
    signed_by = serializers.CharField()
    signed_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class AttestationsOut(serializers.Serializer[Any]):
    """What was signed, and what the package still lacks."""

    attestations = AttestationOut(many=True)
    missing = serializers.ListField(child=serializers.ChoiceField(choices=AttestationKind.values))


def render_attestation(attestation: Attestation) -> dict[str, Any]:
    """Render an attestation."""
    return {
        "id": attestation.pk,
        "version_id": attestation.version_id,
        "kind": attestation.kind,
        "statement": attestation.statement,
        "signed_by": attestation.signed_by,
        "signed_at": attestation.signed_at,
        "expires_at": attestation_expires_at(attestation),
    }
