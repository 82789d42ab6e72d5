"""What every view of the runtime API shares."""

from aiffinity.lib.views import get_owned
from providers.permissions import IsAccountOrApp
from providers.views.base import CallerView
from runtime.models import RuntimeApp


class RuntimeView(CallerView):
    """A view on the account's runtime apps: an ID token or any app's token acts for all (decision 10)."""

    permission_classes = [IsAccountOrApp]

    def runtime_app(self, app_id: str) -> RuntimeApp:
        """Return one of the account's runtime apps; raises NotFound for any other."""
        return get_owned(RuntimeApp.objects.for_account(self.account), app_id)
