"""Who calls which install's capability: finding the install that a call means (spec 2 "Capabilities")."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aiffinity.lib.errors import NotFound, field_error
from aiffinity.lib.ids import is_id
from capabilities.models import Install, InstallQuerySet
from providers.authentication import Caller
from providers.opaque_ids import opaque_user_id
from runtime.models import CapabilityTemplate, RuntimeApp


@dataclass(frozen=True)
class Target:
    """One install's capability as its version froze it; `is_own` says that the installing user calls."""

    install: Install
    descriptor: dict[str, Any]
    is_own: bool

    @property
    def capability_id(self) -> str:
        """Return the capability's id."""
        return str(self.descriptor["capability_id"])

    @property
    def name(self) -> str:
        """Return the capability's name, by which the provider knows it."""
        return str(self.descriptor["name"])

    @property
    def mode(self) -> str:
        """Return the capability's mode."""
        return str(self.descriptor["mode"])

    @property
    def app_id(self) -> str:
        """Return the id of the app that is called."""
        return self.install.package.app_id

    @property
    def user_id(self) -> str:
        """Return the opaque id under which the provider knows the user."""
        return opaque_user_id(self.install.user_id, self.app_id)

    @cached_property
    def runtime_app(self) -> RuntimeApp | None:
        """Return the app's runtime, None where there is none."""
        return getattr(self.install.package.app, "runtime_app", None)


def find_target(caller: Caller, capability_id: str, install_id: str | None) -> Target:
    """Find the install that a call means.

    A user means one of their own installs, without `install_id` the only one that has the capability. An app,
    and an account holder for an install of somebody else, must name an install of one of the account's own
    packages. Raises NotFound (404) for everything that is not the caller's, VALIDATION_ERROR (400) at
    `install_id` where it is needed.
    """
    if not is_id(capability_id, "cap") or not (install_id is None or is_id(install_id, "inst")):
        raise NotFound
    having = Install.objects.filter(version__capabilities__contains=[{"capability_id": capability_id}])
    having = having.select_related("version", "package__account", "package__app__runtime_app")
    if caller.user is not None:
        own = list(_chosen(having.for_user(caller.user), install_id)[:2])
        if len(own) > 1:
            raise field_error(
                "install_id", "You have several installs with this capability; name one.", code="required"
            )
        if own:
            return _target(own[0], capability_id, is_own=True)
    return _target(_provider_install(caller, having, capability_id, install_id), capability_id, is_own=False)


def owns_capability(caller: Caller, capability_id: str) -> bool:
    """Say whether the capability belongs to the caller's account."""
    if caller.account is None:
        return False
    return CapabilityTemplate.objects.for_account(caller.account).filter(pk=capability_id).exists()


def _provider_install(caller: Caller, having: InstallQuerySet, capability_id: str, install_id: str | None) -> Install:
    if caller.account is None:
        raise NotFound
    if install_id is None:
        if not owns_capability(caller, capability_id):
            raise NotFound
        raise field_error("install_id", "Name one of the installs of your own packages.", code="required")
    install = having.for_account(caller.account).filter(pk=install_id).first()
    if install is None:
        raise NotFound
    return install


def _chosen(installs: InstallQuerySet, install_id: str | None) -> InstallQuerySet:
    return installs if install_id is None else installs.filter(pk=install_id)


def _target(install: Install, capability_id: str, *, is_own: bool) -> Target:
    found = (item for item in install.version.capabilities if item.get("capability_id") == capability_id)
    return Target(install, next(found), is_own)
