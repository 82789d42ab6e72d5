"""What every view of the runtime API shares."""

from typing import cast

from aiffinity.lib.views import PlatformView, get_owned
from providers.authentication import Caller
from providers.models import Account
from providers.permissions import IsAccountOrApp
from runtime.models import RuntimeApp


class RuntimeView(PlatformView):
    """A view on the account's runtime apps: an ID token or any app's token acts for all (decision 10)."""

    permission_classes = [IsAccountOrApp]

    @property
    def account(self) -> Account:
        """Return the account that the caller acts for; the permission has made sure of one."""
        return cast("Account", self._caller.account)

    @property
    def actor(self) -> str:
        """Name the caller for audit rows."""
        return self._caller.actor

    def runtime_app(self, app_id: str) -> RuntimeApp:
        """Return one of the account's runtime apps; raises NotFound for any other."""
        return get_owned(RuntimeApp.objects.for_account(self.account), app_id)

    @property
    def _caller(self) -> Caller:
        return cast("Caller", self.request.auth)
