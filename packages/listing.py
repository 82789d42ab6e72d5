"""Listing a version: at most one of a package, the one of before is superseded in the same transaction."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from aiffinity.lib.errors import GateNotPassed, InvalidState
from packages import policy
from packages.guards import SYSTEM, Attempt
from packages.models import Package, Version, VersionState
from packages.states import Verb, transition

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
        Package.objects.select_for_update(no_key=True).get(pk=version.package_id)
        listed = Version.objects.filter(package=version.package_id, state=VersionState.LISTED)
        for other in listed.exclude(pk=version.pk):
            transition(other, Verb.SUPERSEDE, SYSTEM)
        moved = transition(version, verb, attempt, changes={**(changes or {}), "listed_at": now})
        Package.objects.filter(pk=version.package_id).update(
            listed_at=Coalesce("listed_at", now), deprecated_at=None, updated_at=now
        )
    return moved


def list_submitted_version(version: Version) -> Version:
    """List a submitted version by the system, binding the hashes of what is listed.

    Raises INVALID_STATE where a reviewer has to decide or where it is not submitted any more, and
    GATE_NOT_PASSED where a gate fails meanwhile.
    """
    approval = {
        "approved_at": timezone.now(),
        "approved_content_hash": version.content_hash,
        "approved_config_hash": policy.config_hash_of(version),
    }
    return list_version(version, Verb.AUTO_LIST, SYSTEM, changes=approval)


def list_submitted_versions() -> int:
    """List every version that waits for nobody: data_only after submit, and approvals with publish-on-approval.

    Returns how many were listed. A version that fails a gate waits for the next sweep.
    """
    waiting: list[tuple[Verb, Q]] = [
        (Verb.AUTO_LIST, Q(state=VersionState.SUBMITTED, risk_tier="data_only")),
        (Verb.PUBLISH, Q(state=VersionState.APPROVED, is_published_on_approval=True)),
    ]
    count = 0
    for verb, condition in waiting:
        found = Version.objects.select_related("package__app", "package__account").filter(condition)
        for version in found.order_by("submitted_at")[:SWEEP_BATCH]:
            try:
                if verb is Verb.AUTO_LIST:
                    list_submitted_version(version)
                else:
                    list_version(version, verb, SYSTEM)
            except (GateNotPassed, InvalidState):
                continue
            count += 1
    return count


def bump_install_count(package_id: str, delta: int) -> None:
    """Add to a package's count of installs; upstairs pushes it down with each install and uninstall."""
    Package.objects.filter(pk=package_id).update(install_count=Greatest(F("install_count") + delta, 0))
