"""Suspending and resuming versions and whole packages, letting approvals lapse, delisting orphans (spec 3)."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from aiffinity.lib.audit import append_audit
from aiffinity.lib.errors import InvalidState
from packages.guards import SYSTEM, Attempt, Role
from packages.models import ORPHANS_LISTED_FOR, Package, Version, VersionState
from packages.reviewing import notices
from packages.reviewing.approvers import require_reviewer, require_uninvolved
from packages.states import Verb, transition
from runtime.events import post_event

APPROVAL_GOOD_FOR = timedelta(days=30)
SWEEP_BATCH = 200


def suspend_version(version: Version, attempt: Attempt) -> Version:
    """Stop a listed version: no installs, no calls. Raises INVALID_STATE (409)."""
    with transaction.atomic():
        suspended = transition(
            version, Verb.SUSPEND, attempt, changes={"suspended_by": attempt.role.value}, event_data=_told(attempt)
        )
        if attempt.role is not Role.PROVIDER:
            notices.send_suspended(suspended.package, suspended, attempt.reason)
    return suspended


def resume_version(version: Version, attempt: Attempt) -> Version:
    """List a suspended version again; who may is a guard. Raises INVALID_STATE (409)."""
    with transaction.atomic():
        resumed = transition(version, Verb.RESUME, attempt, changes={"suspended_by": ""}, event_data=_told(attempt))
        if attempt.role is not Role.PROVIDER:
            notices.send_resumed(resumed.package, resumed, attempt.reason)
    return resumed


def _told(attempt: Attempt) -> dict[str, Any]:
    return {"reasons": [], "comment": attempt.reason}


def suspend_package(package: Package, attempt: Attempt) -> Package:
    """Stop everything of a package, whatever its versions' states. Raises INVALID_STATE (409) for a second time."""
    return _set_suspended(package, attempt, is_suspended=True)


def resume_package(package: Package, attempt: Attempt) -> Package:
    """Let a suspended package go.

    Raises INVALID_STATE (409) where it isn't suspended and PERMISSION_DENIED (403) for who is no reviewer, and for
    the account's own owner.
    """
    require_uninvolved(require_reviewer(attempt.user), package)
    return _set_suspended(package, attempt, is_suspended=False)


def _set_suspended(package: Package, attempt: Attempt, *, is_suspended: bool) -> Package:
    with transaction.atomic():
        moved = Package.objects.filter(pk=package.pk, suspended_at__isnull=is_suspended).update(
            suspended_at=timezone.now() if is_suspended else None
        )
        if moved == 0:
            raise InvalidState(f"The package is {'' if is_suspended else 'not '}suspended.")
        word = "suspended" if is_suspended else "resumed"
        append_audit(subject=package.pk, action=f"package.{word}", actor=attempt.actor, reason=attempt.reason)
        data = {"package_id": package.pk, "name": package.name, **_told(attempt)}
        post_event(package.app, f"package.{word}", data)
        send = notices.send_suspended if is_suspended else notices.send_resumed
        send(package, None, attempt.reason)
    package.refresh_from_db()
    return package


def lapse_approvals() -> int:
    """Send approved versions back to draft that are unused for 30 days, or whose app's configuration changed."""
    stale = Q(approved_at__lt=timezone.now() - APPROVAL_GOOD_FOR) | ~Q(
        approved_config_hash=F("package__app__runtime_app__config_hash")
    )
    found = Version.objects.filter(stale, state=VersionState.APPROVED)[:SWEEP_BATCH]
    for version in found:
        try:
            with transaction.atomic():
                lapsed = transition(version, Verb.LAPSE, SYSTEM, changes={"first_submitted_at": None})
                notices.send_lapsed(lapsed)
        except InvalidState:
            continue  # It was published in this moment.
    return len(found)


def delist_orphans() -> int:
    """Take versions out of the catalog whose app was deleted 30 days ago; returns how many."""
    orphans = Version.objects.filter(
        state__in=(VersionState.LISTED, VersionState.SUSPENDED),
        package__app__deleted_at__lte=timezone.now() - ORPHANS_LISTED_FOR,
    )
    count = 0
    for version in orphans.order_by("package__app__deleted_at")[:SWEEP_BATCH]:
        try:
            transition(version, Verb.DELIST, SYSTEM)
        except InvalidState:
            continue  # Its provider took it away in this moment.
        count += 1
    return count
