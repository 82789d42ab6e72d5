"""Installing and uninstalling: one user has one package (spec 4 "Catalog")."""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from aiffinity.lib.audit import append_audit
from aiffinity.lib.errors import Detail, NotFound, NotInstallable, ValidationFailed, field_error
from capabilities.cached_states import forget_states
from capabilities.consents import consented_permissions, permissions_of
from capabilities.contracts import param_faults
from capabilities.installability import Candidate, reasons_for
from capabilities.models import Install
from packages.listing import bump_install_count
from packages.models import Package, Version, VersionState
from providers.models import User
from providers.opaque_ids import opaque_user_id
from runtime.connections.revoking import begin_revocation
from runtime.events import post_event
from runtime.models import Connection, RuntimeApp


def install_package(
    user: User, package: Package, *, actor: str, consent: Collection[str] | None = None
) -> tuple[Install, bool]:
    """Install a package for a user and return the install, and whether it is new.

    Pins the listed version and records the consent to its permissions. A second call returns the same
    install, also when the package can't be installed any more; parallel ones are ordered by a lock on the
    package and make one row and one event. Raises NotInstallable (422) with the blocking reasons,
    VALIDATION_ERROR (400) for a consent to something else.
    """
    with transaction.atomic():
        candidate = _candidate(user, package)
        if candidate.install is not None:
            return candidate.install, False
        version = _installable_version(candidate)
        permissions = consented_permissions(permissions_of(version.capabilities), consent)
        install = Install.objects.create(
            user=user,
            package=candidate.package,
            version=version,
            consented_permissions=permissions,
            consented_at=timezone.now(),
        )
        _record(install, "install.created", actor=actor, count=1, permissions=permissions)
        return install, True


def uninstall_package(user: User, package: Package, *, actor: str) -> Install:
    """Remove a user's install with its cached states and return its final state; its connection is revoked.

    Raises NotFound where the user doesn't have the package.
    """
    with transaction.atomic():
        # Package before install, as everywhere.
        Package.objects.select_for_update(no_key=True).filter(pk=package.pk).exists()
        found = Install.objects.for_user(user).filter(package=package)
        install = found.select_for_update().first()
        if install is None:
            raise NotFound("You don't have this package.")
        install.removed_at = timezone.now()
        install.save(update_fields=["removed_at"])
        forget_states(install)
        begin_revocation(Connection.objects.filter(install_id=install.pk))
        _record(install, "install.removed", actor=actor, count=-1)
        return install


def set_install_params(install: Install, *, params: dict[str, Any]) -> Install:
    """Store the params with which capabilities of an install are refreshed, by capability name.

    Capabilities that are not named keep theirs; null takes them back. Raises VALIDATION_ERROR (400) at
    `params.<capability>…` for an unknown capability and for params that its input schema refuses.
    """
    descriptors = {item["name"]: item for item in install.version.capabilities}
    for name, given in params.items():
        _check_params(descriptors.get(name), name, given)
    with transaction.atomic():
        locked = Install.objects.active().select_for_update().filter(pk=install.pk).first()
        if locked is None:
            raise NotFound
        merged = {**locked.params, **params}
        install.params = {name: given for name, given in merged.items() if given is not None}
        install.save(update_fields=["params"])
    return install


def _candidate(user: User, package: Package) -> Candidate:
    """Read everything that decides under a lock on the package, so that a suspension can't slip between.

    It is read after the lock: rows that a locking query joins would be as they were before the wait for the lock.
    """
    if not Package.objects.select_for_update(no_key=True).filter(pk=package.pk).exists():
        raise NotFound
    locked = Package.objects.select_related("account", "app").get(pk=package.pk)
    versions = Version.objects.filter(package=locked)
    return Candidate(
        locked,
        versions.filter(state=VersionState.LISTED).first()
        or versions.filter(state=VersionState.SUSPENDED).order_by("-listed_at").first(),
        RuntimeApp.objects.filter(pk=locked.app_id).first(),
        Install.objects.for_user(user).filter(package=locked).first(),
    )


def _installable_version(candidate: Candidate) -> Version:
    blocking = [reason for reason in reasons_for(candidate) if reason.blocking]
    if blocking or candidate.version is None:
        details = [Detail("", reason.code, reason.message) for reason in blocking]
        raise NotInstallable(blocking[0].message, details=details)
    return candidate.version


def _record(install: Install, event: str, *, actor: str, count: int, **more: Any) -> None:
    bump_install_count(install.package_id, count)
    append_audit(subject=install.pk, action=event, actor=actor, data={"permissions": install.consented_permissions})
    app = install.package.app
    data = {
        "install_id": install.pk,
        "package_id": install.package_id,
        "version_id": install.version_id,
        "version": install.version.version,
        "user_id": opaque_user_id(install.user_id, app.pk),
        **more,
    }
    post_event(app, event, data)


def _check_params(descriptor: dict[str, Any] | None, name: str, given: Any) -> None:
    if descriptor is None:
        raise field_error(f"params.{name}", "The installed version has no such capability.", code="unknown_field")
    if given is None:
        return
    if not isinstance(given, dict):
        raise field_error(f"params.{name}", "Send an object of params, or null.", code="type")
    faults = param_faults(descriptor, given, root=f"params.{name}")
    if faults:
        raise ValidationFailed(details=faults)
