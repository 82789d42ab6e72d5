"""What every view of the packages API shares: the caller's own packages and versions."""

from typing import Any

from aiffinity.lib.views import get_owned
from packages.guards import Attempt, Role
from packages.models import Package, Review, Version
from packages.policy import evaluate_gates
from packages.serializers.versions import render_version
from providers.permissions import IsAccountHolder
from providers.views.base import CallerView

TAGS = ["Packages"]


class PackagesView(CallerView):
    """A view for an account holder's ID token."""

    permission_classes = [IsAccountHolder]

    def attempt(self, reason: str = "") -> Attempt:
        """Return who tries something, for the state machine and the audit log."""
        return Attempt(actor=self.actor, role=Role.PROVIDER, user=self.caller.user, reason=reason)

    def package(self, package_id: str) -> Package:
        """Return an own package, or 404."""
        return get_owned(Package.objects.for_account(self.account).select_related("app", "account"), package_id)

    def version(self, package_id: str, version_id: str) -> Version:
        """Return a version of an own package, or 404."""
        versions = Version.objects.for_account(self.account).filter(package=package_id)
        return get_owned(versions.select_related("package__app", "package__account"), version_id)

    def render(self, version: Version) -> dict[str, Any]:
        """Render a version with its gates and its open case."""
        review = Review.objects.open().filter(version=version).first()
        return render_version(version, evaluate_gates(version), review)
