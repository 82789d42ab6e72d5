"""Updates: installs follow the version that is listed now, or wait for their user's consent (spec 4 "Catalog").

The drift report alone decides which of the two (spec 3 "Drift report").
"""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from aiffinity.lib.audit import append_audit
from aiffinity.lib.errors import InvalidState, NotFound
from capabilities.consents import consented_permissions, permissions_of
from capabilities.installs import set_install_params
from capabilities.models import Install
from packages.models import Package, Version, VersionState
from packages.versions import drift_between

FOLLOW_BATCH = 5_000


def follow_updates() -> int:
    """Take installs to the listed version of their package where it asks for nothing more; returns how many moved."""
    behind = Install.objects.active().filter(
        version__state=VersionState.SUPERSEDED, package__in=Version.objects.listed().values("package")
    )
    pairs = behind.order_by().values_list("package_id", "version_id").distinct()
    return sum(_follow(package_id, version_id) for package_id, version_id in list(pairs))


def change_install(
    install: Install, *, actor: str, params: dict[str, Any] | None = None, consent: Collection[str] | None = None
) -> Install:
    """Change the settings of an install: the consent to an update first, then params for what is installed then.

    Raises InvalidState (409) where there is no update, and what `set_install_params` and
    `consented_permissions` raise; nothing has changed then.
    """
    with transaction.atomic():
        if consent is not None:
            install = _accept_update(install, consent, actor=actor)
        return install if params is None else set_install_params(install, params=params)


def _accept_update(install: Install, consent: Collection[str], *, actor: str) -> Install:
    Package.objects.select_for_update(no_key=True).get(pk=install.package_id)
    locked = Install.objects.active().select_for_update(of=("self",)).select_related("version", "package__app")
    current = locked.filter(pk=install.pk).first()
    if current is None:
        raise NotFound
    listed = Version.objects.listed().filter(package=current.package_id).exclude(pk=current.version_id).first()
    if listed is None:
        raise InvalidState("There is no update to consent to; the installed version is the newest.")
    current.consented_permissions = consented_permissions(permissions_of(listed.capabilities), consent)
    current.consented_at, current.version = timezone.now(), listed
    current.save(update_fields=["consented_permissions", "consented_at", "version"])
    data = {"version_id": listed.pk, "permissions": current.consented_permissions}
    append_audit(subject=current.pk, action="install.updated", actor=actor, data=data)
    return current


def _follow(package_id: str, version_id: str) -> int:
    moved = FOLLOW_BATCH
    count = 0
    while moved == FOLLOW_BATCH:
        moved = _follow_batch(package_id, version_id)
        count += moved
    return count


def _follow_batch(package_id: str, version_id: str) -> int:
    """Move some installs under the package's lock, so that what is listed stays listed meanwhile."""
    with transaction.atomic():
        Package.objects.select_for_update(no_key=True).get(pk=package_id)
        listed = Version.objects.listed().filter(package=package_id).first()
        installed = Version.objects.filter(pk=version_id, state=VersionState.SUPERSEDED).first()
        if listed is None or installed is None or drift_between(installed, listed).needs_consent:
            return 0
        behind = Install.objects.active().filter(package=package_id, version=version_id).order_by("pk")
        moved = Install.objects.filter(pk__in=behind.values("pk")[:FOLLOW_BATCH], removed_at=None).update(
            version=listed, consented_permissions=permissions_of(listed.capabilities)
        )
        if moved:
            data = {"from": version_id, "to": listed.pk, "installs": moved}
            append_audit(subject=package_id, action="package.installs_followed", actor="system", data=data)
        return moved
