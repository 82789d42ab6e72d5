"""What a re-review decides: an approval for another configuration, and listing fields that waited (spec 3)."""

from typing import Any

from django.utils import timezone

from aiffinity.lib.audit import append_audit
from packages.configuration import approval_columns
from packages.guards import Attempt
from packages.models import Decision, Package, Review, ReviewOutcome, Version, VersionState
from packages.reviewing import notices
from packages.reviewing.cases import close_review, record
from packages.states import describe
from runtime.events import post_event
from runtime.risk_tiers import RISK_TIERS

RUNNING_STATES = (VersionState.LISTED, VersionState.SUPERSEDED)


def renew_approval(case: Review, attempt: Attempt) -> None:
    """Bind the approval to what the app holds now, and show the listing fields that waited.

    Earlier versions that users still have were approved with the same configuration; they go on as well, as far
    as their tier is not a higher one.
    """
    version, binding = case.version, approval_columns(case.version)
    _bind(version, binding, attempt)
    columns = {name: value for name, value in binding.items() if name != "approved_content_hash"}
    for other in _also_running(version):
        _bind(other, columns, attempt)
    _apply_pending_listing(version.package, attempt)
    close_review(version, ReviewOutcome.APPROVED)
    record(case, "approved", attempt)
    data: dict[str, Any] = {**describe(version), "reasons": [], "comment": attempt.reason}
    post_event(version.package.app, "package.approved", data)
    notices.send_decision(case, Decision.APPROVE, comment=attempt.reason)


def drop_pending_listing(case: Review, attempt: Attempt) -> None:
    """Forget the listing fields that waited for the reviewer; the listing stays as it is."""
    package = case.version.package
    if package.pending_listing:
        Package.objects.filter(pk=package.pk).update(pending_listing={}, updated_at=timezone.now())
        _audit(package, "package.listing_change_rejected", attempt, sorted(package.pending_listing))


def _also_running(version: Version) -> list[Version]:
    tiers = RISK_TIERS[: RISK_TIERS.index(version.risk_tier) + 1]
    others = Version.objects.filter(
        package=version.package_id,
        state__in=RUNNING_STATES,
        risk_tier__in=tiers,
        approved_config_hash=version.approved_config_hash,
    )
    return list(others.exclude(pk=version.pk).defer("capabilities"))


def _bind(version: Version, columns: dict[str, Any], attempt: Attempt) -> None:
    Version.objects.filter(pk=version.pk).update(**columns)
    append_audit(
        subject=version.pk,
        action="version.approval_renewed",
        actor=attempt.actor,
        reason=attempt.reason,
        content_hash=version.content_hash,
        data={"config_hash": columns["approved_config_hash"]},
    )


def _apply_pending_listing(package: Package, attempt: Attempt) -> None:
    if not package.pending_listing:
        return
    fields = sorted(package.pending_listing)
    Package.objects.filter(pk=package.pk).update(
        **package.pending_listing, pending_listing={}, updated_at=timezone.now()
    )
    _audit(package, "package.updated", attempt, fields)


def _audit(package: Package, action: str, attempt: Attempt, fields: list[str]) -> None:
    append_audit(subject=package.pk, action=action, actor=attempt.actor, data={"fields": fields})
