"""The admin site of the staff console."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from aiffinity.admin_site.login import LimitedLoginForm

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as UnfoldSite
else:
    from unfold.sites import UnfoldAdminSite as UnfoldSite


class StaffSite(UnfoldSite):
    """Unfold's site with a limited login."""

    index_title = "Staff console"
    index_template = "admin/console/start.html"
    login_form = LimitedLoginForm

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Leave Unfold's colours out of the page.

        It would write them as an inline style, which the policy refuses; `console/theme.css` has them.
        """
        return {**super().each_context(request), "colors": None}
