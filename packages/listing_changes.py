"""A changed name or image waits for a reviewer above data_only (spec 3 "Policy gates")."""

from typing import Any

from packages.guards import SYSTEM, Attempt
from packages.models import Package, Review, ReviewKind, Version, VersionState
from packages.policy import LISTED_ONCE
from packages.reviewing.cases import close_review, complete, open_review, record, restart_review
from packages.states import Verb, transition
from runtime.risk_tiers import RISK_TIERS

REVIEWED_FIELDS = ("name", "images")
CAUSE = "The provider changed the listing's {fields}."


def split_fields(package: Package, fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split changed listing fields into what holds at once and what waits for a reviewer."""
    if shown_version(package) is None:
        return fields, {}
    waiting = {name: fields[name] for name in REVIEWED_FIELDS if name in fields}
    return {name: value for name, value in fields.items() if name not in waiting}, waiting


def shown_version(package: Package) -> Version | None:
    """Return the version above data_only that the listing belongs to: the listed one, else the one listed last."""
    versions = Version.objects.filter(package=package, state__in=LISTED_ONCE).defer("capabilities")
    shown = versions.filter(state=VersionState.LISTED).first() or versions.order_by("-listed_at", "-pk").first()
    return shown if shown is not None and shown.risk_tier != RISK_TIERS[0] else None


def pend(package: Package, waiting: dict[str, Any]) -> bool:
    """Keep what waits on a locked package, without saving it; says whether anything changed."""
    pending = {**package.pending_listing, **waiting}
    changed = {name: value for name, value in pending.items() if value != getattr(package, name)}
    if changed == package.pending_listing:
        return False
    package.pending_listing = changed
    return True


def review_pending(package: Package, attempt: Attempt) -> None:
    """Bring the case about the listing in line with what waits: open it, begin it anew, or end it."""
    version = shown_version(package)
    if version is None:
        return
    cases = Review.objects.open().filter(version__package=package).exclude(kind=ReviewKind.SUBMISSION)
    current = complete(cases).first()
    cause = CAUSE.format(fields=" and ".join(sorted(package.pending_listing)))
    if current is not None and current.kind == ReviewKind.LISTING_CHANGE and not package.pending_listing:
        record(current, "settled", attempt)
        close_review(current.version)
    elif current is not None:
        renewed = restart_review(current, cause=cause if package.pending_listing else current.cause)
        record(renewed, "restarted", attempt)
    elif package.pending_listing:
        opened = open_review(version, kind=ReviewKind.LISTING_CHANGE, cause=cause)
        record(opened, "opened", attempt, fields=sorted(package.pending_listing))


def restart_submissions(package: Package, attempt: Attempt) -> None:
    """Let reviewers look anew at what they have not finished: its name or images are others now.

    An approval that was not used yet lapses, as for changed content.
    """
    versions = Version.objects.filter(package=package).exclude(risk_tier=RISK_TIERS[0]).defer("capabilities")
    for version in versions.filter(state=VersionState.APPROVED):
        transition(version, Verb.LAPSE, attempt, changes={"first_submitted_at": None})
    for review in complete(Review.objects.open().filter(version__in=versions, kind=ReviewKind.SUBMISSION)):
        if review.version.state == VersionState.IN_REVIEW:
            Review.objects.filter(pk=review.pk).update(claimed_by=None, claim_expires_at=None)
            transition(review.version, Verb.RELEASE, SYSTEM)
        if review.version.state in (VersionState.SUBMITTED, VersionState.IN_REVIEW):
            renewed = restart_review(review, cause=CAUSE.format(fields=" or ".join(REVIEWED_FIELDS)))
            record(renewed, "restarted", attempt)
