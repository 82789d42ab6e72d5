"""Suspending and resuming versions and whole packages, and letting approvals lapse (spec 3)."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from aiffinity.lib.audit import append_audit
from aiffinity.lib.errors import InvalidState
from packages.guards import SYSTEM, Attempt
from packages.models import Package, Version, VersionState
from packages.states import Verb, transition
from runtime.events import post_event

APPROVAL_GOOD_FOR = timedelta(days=30)
SWEEP_BATCH = 200


def suspend_version(version: Version, attempt: Attempt) -> Version:
    """Stop a listed version: no installs, no calls. Raises INVALID_STATE (409)."""
    return transition(
        version,
        Verb.SUSPEND,
        attempt,
        changes={"suspended_by": attempt.role.value},
        event_data={"comment": attempt.reason},
    )


def resume_version(version: Version, attempt: Attempt) -> Version:
    """List a suspended version again; who may is a guard. Raises INVALID_STATE (409)."""
    return transition(
        version,
        Verb.RESUME,
        attempt,
        changes={"suspended_by": ""},
        event_data={"comment": attempt.reason},
    )


def suspend_package(package: Package, attempt: Attempt) -> Package:
    """Stop everything of a package, whatever its versions' states. Raises INVALID_STATE (409) for a second time."""
    return _set_suspended(package, attempt, is_suspended=True)


def resume_package(package: Package, attempt: Attempt) -> Package:
    """Let a suspended package go. Raises INVALID_STATE (409) where it isn't suspended."""
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
        data = {"package_id": package.pk, "name": package.name, "comment": attempt.reason}
        post_event(package.app, f"package.{word}", data)
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
            transition(version, Verb.LAPSE, SYSTEM)
        except InvalidState:
            continue  # It was published in this moment.
    return len(found)
