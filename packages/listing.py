"""Listing a version: at most one of a package, the one of before is superseded in the same transaction."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from aiffinity.lib.errors import GateNotPassed, InvalidState
from packages.configuration import approval_columns
from packages.guards import SYSTEM, Attempt
from packages.models import Package, Review, Version, VersionState
from packages.states import Verb, transition
from providers.opaque_ids import opaque_user_id

SWEEP_BATCH = 200


def list_version(
    version: Version, verb: Verb, attempt: Attempt, *, changes: Mapping[str, Any] | None = None
) -> Version:
    """List a version by one of the verbs that do so, superseding the listed one.

    Raises what `packages.states.transition` raises; nothing has changed then.
    """
    now = timezone.now()
    with transaction.atomic():
        # The same lock that every transition takes, before the listed version is looked for.
        Package.objects.get_locked(version.package_id)
        listed = Version.objects.filter(package=version.package_id, state=VersionState.LISTED)
        for other in listed.exclude(pk=version.pk):
            transition(other, Verb.SUPERSEDE, SYSTEM)
        columns = {**(changes or {}), "listed_at": now}
        moved = transition(version, verb, attempt, changes=columns, event_data=_submitter(version))
        Package.objects.filter(pk=version.package_id).update(
            listed_at=Coalesce("listed_at", now), deprecated_at=None, successor=None, updated_at=now
        )
    return moved


def _submitter(version: Version) -> dict[str, str]:
    if not version.submitted_by_id:
        return {}
    return {"submitted_by": opaque_user_id(version.submitted_by_id, version.package.app_id)}


def list_submitted_version(version: Version) -> Version:
    """List a submitted version by the system, binding the hashes of what is listed.

    Raises INVALID_STATE where a reviewer has to decide or where it is not submitted any more, and
    GATE_NOT_PASSED where a gate fails meanwhile.
    """
    return list_version(version, Verb.AUTO_LIST, SYSTEM, changes=approval_columns(version))


def list_submitted_versions() -> int:
    """List every version that waits for nobody: data_only after submit, and approvals with publish-on-approval.

    Returns how many were listed. A version that fails a gate waits for the next sweep.
    """
    waiting: list[tuple[Verb, Any]] = [
        (Verb.AUTO_LIST, ~_has_open_review() & Q(state=VersionState.SUBMITTED, risk_tier="data_only")),
        (Verb.PUBLISH, Q(state=VersionState.APPROVED, is_published_on_approval=True)),
    ]
    count = 0
    for verb, condition in waiting:
        found = Version.objects.select_related("package__app", "package__account").filter(condition)
        # By lot: those that fail their gates time and again must not keep the others from their turn.
        for version in found.order_by("?")[:SWEEP_BATCH]:
            try:
                if verb is Verb.AUTO_LIST:
                    list_submitted_version(version)
                else:
                    list_version(version, verb, SYSTEM)
            except (GateNotPassed, InvalidState):
                continue
            count += 1
    return count


def _has_open_review() -> Exists:
    return Exists(Review.objects.filter(version=OuterRef("pk"), closed_at=None))


def bump_install_count(package_id: str, delta: int) -> None:
    """Add to a package's count of installs; upstairs pushes it down with each install and uninstall."""
    Package.objects.filter(pk=package_id).update(install_count=Greatest(F("install_count") + delta, 0))


def set_calls_last_hour(calls: Mapping[str, int]) -> None:
    """Keep how often packages were called in the last hour, by id; what is not named was not called."""
    Package.objects.exclude(calls_last_hour=0).exclude(pk__in=calls).update(calls_last_hour=0)
    for package_id, count in calls.items():
        Package.objects.filter(pk=package_id).exclude(calls_last_hour=count).update(calls_last_hour=count)
