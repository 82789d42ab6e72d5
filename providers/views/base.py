"""What every view of somebody known shares: the caller, the account and the name for audit rows."""

from typing import cast

from aiffinity.lib.views import PlatformView
from providers.authentication import Caller
from providers.models import Account


class CallerView(PlatformView):
    """A view behind a permission that admits no anonymous request."""

    @property
    def caller(self) -> Caller:
        """Return who calls."""
        return cast("Caller", self.request.auth)

    @property
    def account(self) -> Account:
        """Return the account that the caller acts for, where the permission asks for one."""
        return cast("Account", self.caller.account)

    @property
    def actor(self) -> str:
        """Name the caller for audit rows."""
        return self.caller.actor
