"""Attestations: sign and list."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from packages.models import Attestation
from packages.serializers.attestations import (
    AttestationOut,
    AttestationsBody,
    AttestationsOut,
    render_attestation,
)
from packages.tier_requirements import missing_attestations, sign_attestations
from packages.views.base import TAGS, PackagesView

EXAMPLE = OpenApiExample(
    "Encryption",
    request_only=True,
    value={
        "attestations": [
            {
                "kind": "encryption",
                "statement": "Data is encrypted with AES-256 at rest and TLS 1.3 in transit.",
                "signed_by": "Jane Doe, CISO",
            }
        ]
    },
)


class AttestationListView(PackagesView):
    """What the account attests for a version's package."""

    @extend_schema(
        operation_id="signAttestations",
        summary="Sign attestations",
        tags=TAGS,
        request=AttestationsBody,
        responses={201: AttestationsOut},
        examples=[EXAMPLE],
    )
    def post(self, request: Request, package_id: str, version_id: str) -> Response:
        """Keep what is signed; high_trust and strategic_surface need every kind within 12 months."""
        version = self.version(package_id, version_id)
        given = self.read(AttestationsBody)["attestations"]
        signed = sign_attestations(version, actor=self.attempt().actor, given=given)
        rendered = [render_attestation(each) for each in signed]
        return Response({"attestations": rendered, "missing": missing_attestations(version.package)}, status=201)

    @extend_schema(
        operation_id="listAttestations",
        summary="List attestations",
        tags=TAGS,
        responses=AttestationOut(many=True),
    )
    def get(self, request: Request, package_id: str, version_id: str) -> Response:
        """List what was signed for the package, the newest first."""
        version = self.version(package_id, version_id)
        signed = Attestation.objects.filter(version__package=version.package_id)
        return self.paginate(signed.order_by("-signed_at", "-pk"), render_attestation)
