"""What stops a call before it reaches the provider; read at every call, so that a suspension works at once.

Source: spec 4 "Gateway", spec 3 "Approval covers what it saw".
"""

from collections.abc import Iterator

from aiffinity.lib.errors import CapabilitySuspended, Detail
from capabilities.models import Install
from packages.configuration import is_covered
from packages.models import Version, VersionState
from runtime.health.looking import is_called_unhealthy
from runtime.models import HealthStatus, RuntimeApp, RuntimeStatus

CALLABLE_STATES = (VersionState.LISTED, VersionState.SUPERSEDED)


def check_callable(install: Install, runtime_app: RuntimeApp | None, capability: str) -> RuntimeApp:
    """Return the runtime app that the call may go to; raises CapabilitySuspended (503) with the reasons.

    The codes in `details` are version_suspended, version_not_listed, package_suspended, account_suspended,
    app_deleted, app_paused, app_suspended, app_degraded, capability_unhealthy and approval_stale.
    """
    details = [*_package_reasons(install), *_app_reasons(install.version, runtime_app, capability)]
    if details or runtime_app is None:
        raise CapabilitySuspended(f"The capability is suspended: {details[0].message}", details=details)
    return runtime_app


def check_connectable(install: Install, runtime_app: RuntimeApp | None) -> RuntimeApp:
    """Return the runtime app that the install may be connected to; raises CapabilitySuspended (503) like a call.

    What was never approved gets no user's tokens. An app whose health checks fail may answer at its sign-in.
    """
    details = [*_package_reasons(install), *_app_reasons(install.version, runtime_app, "")]
    stopping = [detail for detail in details if detail.code != "app_degraded"]
    if stopping or runtime_app is None:
        raise CapabilitySuspended(f"The package is suspended: {stopping[0].message}", details=stopping)
    return runtime_app


def _package_reasons(install: Install) -> Iterator[Detail]:
    version, package = install.version, install.package
    if version.state == VersionState.SUSPENDED:
        yield Detail("", "version_suspended", "The installed version is suspended.")
    elif version.state not in CALLABLE_STATES:
        yield Detail("", "version_not_listed", f"The installed version is {version.state}.")
    if package.suspended_at is not None:
        yield Detail("", "package_suspended", "The package is suspended.")
    if package.account.is_suspended:
        yield Detail("", "account_suspended", "The provider's account is suspended.")
    if package.app.deleted_at is not None:
        yield Detail("", "app_deleted", "The provider deleted the app.")


def _app_reasons(version: Version, runtime_app: RuntimeApp | None, capability: str) -> Iterator[Detail]:
    if runtime_app is None:
        yield Detail("", "app_deleted", "The app has no runtime.")
        return
    if runtime_app.status != RuntimeStatus.ACTIVE:
        yield Detail("", f"app_{runtime_app.status}", f"The provider's app is {runtime_app.status}.")
    if runtime_app.health_status == HealthStatus.DEGRADED:
        yield Detail("", "app_degraded", "The provider's service fails its health checks.")
    elif is_called_unhealthy(runtime_app.capability_health, capability):
        yield Detail("", "capability_unhealthy", "The provider's health check calls this capability unhealthy.")
    if not is_approval_fresh(version, runtime_app):
        message = "The provider's configuration changed after the approval and waits for a review."
        yield Detail("", "approval_stale", message)


def is_approval_fresh(version: Version, runtime_app: RuntimeApp) -> bool:
    """Say whether content and configuration are what the approval, or the listing by the system, saw, or narrower."""
    return is_covered(version, runtime_app)
