"""What the tiers above action_capable ask for besides approvals: attestations and the curation grant (spec 3)."""

from django.db import models
from django.db.models import Q

from aiffinity.lib.ids import IdField
from packages.models.choices import AttestationKind
from packages.models.packages import Package, Version
from providers.models import Account, User


class Attestation(models.Model):
    """What an account signed for a version's package; it counts for 12 months."""

    id = IdField("att")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="attestations")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="attestations")
    kind = models.CharField(max_length=20, choices=AttestationKind.choices)
    statement = models.TextField()
    signed_by = models.CharField(max_length=120, help_text="The person who signed, as given.")
    signed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["version", "kind", "-signed_at"], name="attestation_version_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.version_id}"


class CurationGrant(models.Model):
    """A curator lets a package onto the strategic surface."""

    package = models.ForeignKey(Package, on_delete=models.PROTECT, related_name="curation_grants")
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    note = models.TextField(blank=True)
    granted_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["package"], condition=Q(revoked_at=None), name="curation_grant_one_per_package"
            ),
        ]

    def __str__(self) -> str:
        return f"grant for {self.package_id}"
