"""What the tiers above action_capable need besides approvals: attestations and the curation grant (spec 3)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from aiffinity.lib.audit import append_audit
from aiffinity.lib.errors import Detail, InvalidState, PermissionDenied, ValidationFailed
from packages.models import Attestation, AttestationKind, CurationGrant, Package, Version
from providers.models import Account, User

ATTESTATION_VALID_FOR = timedelta(days=365)
CURATE_PERMISSION = "packages.curate_package"


def sign_attestations(version: Version, *, actor: str, given: Sequence[dict[str, str]]) -> list[Attestation]:
    """Keep what the account signed for a version's package, each kind for 12 months.

    `given` are {kind, statement, signed_by}. Raises VALIDATION_ERROR (400) for a kind that stands twice.
    """
    kinds = [item["kind"] for item in given]
    twice = [index for index, kind in enumerate(kinds) if kind in kinds[:index]]
    if twice:
        details = [Detail(f"attestations[{index}].kind", "duplicate", "This kind stands twice.") for index in twice]
        raise ValidationFailed(details=details)
    now = timezone.now()
    with transaction.atomic():
        signed = [
            Attestation(version=version, account=version.package.account, signed_at=now, **item) for item in given
        ]
        Attestation.objects.bulk_create(signed)
        append_audit(
            subject=version.pk,
            action="version.attested",
            actor=actor,
            content_hash=version.content_hash,
            data={"kinds": kinds},
        )
    return signed


def attestation_expires_at(attestation: Attestation) -> datetime:
    """Return when an attestation stops counting."""
    return attestation.signed_at + ATTESTATION_VALID_FOR


def missing_attestations(package: Package) -> list[str]:
    """Return the kinds that the account has not signed for a package within 12 months."""
    valid = Attestation.objects.filter(
        version__package=package, account=package.account_id, signed_at__gt=timezone.now() - ATTESTATION_VALID_FOR
    )
    signed = set(valid.values_list("kind", flat=True))
    return [kind for kind in AttestationKind.values if kind not in signed]


def has_curation_grant(package: Package) -> bool:
    """Say whether a curator lets the package onto the strategic surface."""
    return CurationGrant.objects.filter(package=package, revoked_at=None).exists()


def grant_curation(package: Package, *, curator: User, note: str = "") -> CurationGrant:
    """Let a package onto the strategic surface.

    Raises PERMISSION_DENIED (403) for who may not curate it, INVALID_STATE (409) where it has a grant already.
    """
    _require_curator(package, curator)
    try:
        with transaction.atomic():
            grant = CurationGrant.objects.create(
                package=package, granted_by=curator, note=note, granted_at=timezone.now()
            )
            _audit(package, "curation_granted", curator, note)
    except IntegrityError:
        raise InvalidState("The package has a curation grant already.") from None
    return grant


def revoke_curation(package: Package, *, curator: User, note: str = "") -> None:
    """Take the grant back: what is listed stays, nothing new is listed.

    Raises PERMISSION_DENIED (403) for who may not curate it, INVALID_STATE (409) where there is no grant.
    """
    _require_curator(package, curator)
    with transaction.atomic():
        open_grants = CurationGrant.objects.filter(package=package, revoked_at=None)
        if open_grants.update(revoked_at=timezone.now()) == 0:
            raise InvalidState("The package has no curation grant.")
        _audit(package, "curation_revoked", curator, note)


def _require_curator(package: Package, curator: User) -> None:
    if not curator.is_staff or not curator.has_perm(CURATE_PERMISSION):
        raise PermissionDenied("Only curators grant the strategic surface.")
    account = Account.objects.select_related("owner").get(pk=package.account_id)
    own_emails = {account.email.lower(), (account.owner.email or "").lower()} - {""}
    if curator.pk == account.owner_id or (curator.email or "").lower() in own_emails:
        raise PermissionDenied("Nobody curates a package of their own account.")


def _audit(package: Package, action: str, curator: User, note: str) -> None:
    append_audit(subject=package.pk, action=f"package.{action}", actor=f"user:{curator.pk}", reason=note)
