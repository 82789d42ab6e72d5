"""Why a package can or can't be installed, for everybody or for one user (spec 4 "Catalog").

The install verb refuses by the same reasons that the catalog shows, so they live beside the verb.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from capabilities.consents import permissions_of
from capabilities.models import Install
from packages.models import Package, Version, VersionState
from packages.versions import drift_between
from runtime.models import HealthStatus, RuntimeApp, RuntimeStatus


@dataclass(frozen=True)
class Reason:
    """One reason; `action` names what the user can do about it: consent, connect, open, or nothing (None)."""

    code: str
    message: str
    blocking: bool
    action: str | None = None


@dataclass(frozen=True)
class Candidate:
    """What is judged: a package, the version that would be installed or was last listed, its app, the user's install.

    `install` is None where the user has none and where nobody is known; `is_connected` speaks of that install.
    """

    package: Package
    version: Version | None
    runtime_app: RuntimeApp | None
    install: Install | None = None
    is_connected: bool = False

    @property
    def is_listed(self) -> bool:
        """Say whether the version is the listed one."""
        return self.version is not None and self.version.state == VersionState.LISTED


def suspended(candidate: Candidate) -> Iterator[Reason]:
    """Package, account, app or version is suspended, or the provider paused the app."""
    package, version, runtime_app = candidate.package, candidate.version, candidate.runtime_app
    is_version_suspended = version is not None and version.state == VersionState.SUSPENDED
    if package.suspended_at or package.account.is_suspended or is_version_suspended:
        yield Reason("suspended", "The package is suspended.", blocking=True)
    elif runtime_app is not None and runtime_app.status != RuntimeStatus.ACTIVE:
        yield Reason("suspended", f"The provider's app is {runtime_app.status}.", blocking=True)


def orphaned(candidate: Candidate) -> Iterator[Reason]:
    """The app behind the package is gone."""
    if candidate.package.app.deleted_at is not None or candidate.runtime_app is None:
        yield Reason("orphaned", "The provider's app behind the package was deleted.", blocking=True)


def deprecated(candidate: Candidate) -> Iterator[Reason]:
    """The provider withdrew the package; those who have it keep it."""
    if candidate.package.deprecated_at is not None:
        yield Reason("deprecated", "The provider no longer offers this package.", blocking=True)


def not_listed(candidate: Candidate) -> Iterator[Reason]:
    """No version is listed, for another reason than the ones above."""
    is_told_otherwise = candidate.package.deprecated_at or (
        candidate.version is not None and candidate.version.state == VersionState.SUSPENDED
    )
    if not candidate.is_listed and not is_told_otherwise:
        yield Reason("not_listed", "No version of the package is listed.", blocking=True)


def app_degraded(candidate: Candidate) -> Iterator[Reason]:
    """The app fails its health checks; it may be installed, and works once the app is back."""
    if candidate.runtime_app is not None and candidate.runtime_app.health_status == HealthStatus.DEGRADED:
        message = "The provider's service has problems; the package works once they are over."
        yield Reason("app_degraded", message, blocking=False)


def already_installed(candidate: Candidate) -> Iterator[Reason]:
    """The user has it; another install answers the same install."""
    if candidate.install is not None:
        yield Reason("already_installed", "You have this package.", blocking=False, action="open")


def consent_required(candidate: Candidate) -> Iterator[Reason]:
    """The package asks for permissions; installing is the consent to them. An update that asks for more waits."""
    version, install = candidate.version, candidate.install
    if version is None:
        return
    if install is not None:
        if candidate.is_listed and drift_between(install.version, version).needs_consent:
            message = f"Version {version.version} asks for more than you agreed to; it waits for your consent."
            yield Reason("consent_required", message, blocking=False, action="consent")
        return
    permissions = permissions_of(version.capabilities)
    if permissions:
        message = f"Installing allows {', '.join(permissions)}."
        yield Reason("consent_required", message, blocking=False, action="consent")


def connection_required(candidate: Candidate) -> Iterator[Reason]:
    """The provider wants to know its own user; the connection is made after the install."""
    if candidate.is_connected:
        return
    if candidate.runtime_app is not None and candidate.runtime_app.auth_profile is not None:
        message = "The package needs a connection to your account at the provider."
        yield Reason("connection_required", message, blocking=False, action="connect")


SOURCES: tuple[Callable[[Candidate], Iterator[Reason]], ...] = (
    suspended,
    orphaned,
    deprecated,
    not_listed,
    app_degraded,
    already_installed,
    consent_required,
    connection_required,
)


def reasons_for(candidate: Candidate) -> list[Reason]:
    """Return all reasons, blocking ones first."""
    found = [reason for source in SOURCES for reason in source(candidate)]
    return sorted(found, key=lambda reason: not reason.blocking)


def installability(candidate: Candidate) -> dict[str, Any]:
    """Render `{installable, reasons: [{code, message, blocking, action}]}`."""
    reasons = reasons_for(candidate)
    return {
        "installable": not any(reason.blocking for reason in reasons),
        "reasons": [asdict(reason) for reason in reasons],
    }
