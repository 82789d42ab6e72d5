"""What every view of the packages API shares: the caller's account, and its own packages and versions."""

from typing import Any

from aiffinity.lib.errors import NotFound
from aiffinity.lib.views import PlatformView, get_owned
from packages.guards import Attempt, Role
from packages.models import Package, Version
from packages.policy import evaluate_gates
from packages.serializers.versions import render_version
from providers.authentication import Caller
from providers.models import Account
from providers.permissions import IsAccountHolder

TAGS = ["Packages"]


class PackagesView(PlatformView):
    """A view for an account holder's ID token."""

    permission_classes = [IsAccountHolder]

    @property
    def caller(self) -> Caller:
        """Return who calls; the permission has made sure that somebody does."""
        if not isinstance(self.request.auth, Caller):
            raise NotFound
        return self.request.auth

    @property
    def account(self) -> Account:
        """Return the account that calls."""
        if self.caller.account is None:
            raise NotFound
        return self.caller.account

    def attempt(self, reason: str = "") -> Attempt:
        """Return who tries something, for the state machine and the audit log."""
        return Attempt(actor=self.caller.actor, role=Role.PROVIDER, user=self.caller.user, reason=reason)

    def package(self, package_id: str) -> Package:
        """Return an own package, or 404."""
        return get_owned(Package.objects.for_account(self.account).select_related("app", "account"), package_id)

    def version(self, package_id: str, version_id: str) -> Version:
        """Return a version of an own package, or 404."""
        versions = Version.objects.for_account(self.account).filter(package=package_id)
        return get_owned(versions.select_related("package__app", "package__account"), version_id)

    def render(self, version: Version) -> dict[str, Any]:
        """Render a version with its gates."""
        return render_version(version, evaluate_gates(version))
