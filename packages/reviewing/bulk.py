"""Deciding on many at once, and how far that reaches (spec 3 "Bulk approve and bulk suspend")."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Sum

from aiffinity.lib.errors import PermissionDenied, PlatformError
from packages.models import Package, Review, Version
from packages.policy import config_hash_of
from packages.reviewing.approvers import SUSPEND_PERMISSION
from packages.reviewing.cases import attempt_of, complete
from packages.reviewing.claims import claim_review
from packages.reviewing.decisions import approve
from packages.suspension import suspend_version
from providers.models import User


@dataclass(frozen=True)
class BlastRadius:
    """Whom a suspension concerns: installs now, and calls in the last hour, of the versions' packages."""

    versions: int
    installs: int
    calls_last_hour: int


def blast_radius(versions: Iterable[Version]) -> BlastRadius:
    """Return how many installs and calls the versions' packages have; upstairs pushes these figures down."""
    chosen = list(versions)
    packages = Package.objects.filter(pk__in={version.package_id for version in chosen})
    sums = packages.aggregate(installs=Sum("install_count"), calls=Sum("calls_last_hour"))
    return BlastRadius(len(chosen), sums["installs"] or 0, sums["calls"] or 0)


def bulk_approve(
    reviews: Iterable[Review],
    *,
    reviewer: User,
    comment: str,
    seen: Mapping[str, tuple[str, str]] | None = None,
) -> list[tuple[Review, PlatformError | None]]:
    """Claim and approve each case; one that can't be approved stays as it was and comes with its error.

    `seen` has the content and config hash that were on the screen, by the review's id; without it each is approved
    as it stands.
    """
    results: list[tuple[Review, PlatformError | None]] = []
    for review in complete(Review.objects.filter(pk__in=[each.pk for each in reviews])).order_by("due_at", "pk"):
        try:
            content_hash, config_hash = (seen or {}).get(review.pk) or _hashes_of(review.version)
            with transaction.atomic():
                case = claim_review(review, reviewer=reviewer)
                approved = approve(
                    case,
                    reviewer=reviewer,
                    comment=comment,
                    seen_content_hash=content_hash,
                    seen_config_hash=config_hash,
                )
            results.append((approved, None))
        except PlatformError as error:
            results.append((review, error))
    return results


def bulk_suspend(
    versions: Iterable[Version], *, reviewer: User, reason: str
) -> list[tuple[Version, PlatformError | None]]:
    """Suspend each version; one that can't be comes with its error. Raises PERMISSION_DENIED (403)."""
    if not reviewer.is_staff or not reviewer.has_perm(SUSPEND_PERMISSION):
        raise PermissionDenied("Your groups don't allow suspending.")
    results: list[tuple[Version, PlatformError | None]] = []
    for version in versions:
        try:
            results.append((suspend_version(version, attempt_of(reviewer, reason)), None))
        except PlatformError as error:
            results.append((version, error))
    return results


def _hashes_of(version: Version) -> tuple[str, str]:
    return version.content_hash, config_hash_of(version)
