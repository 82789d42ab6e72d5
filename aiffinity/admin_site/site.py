"""The admin site of the staff console."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from aiffinity.admin_site.login import LimitedLoginForm

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as UnfoldSite
else:
    from unfold.sites import UnfoldAdminSite as UnfoldSite

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class StaffSite(UnfoldSite):
    """Unfold's site with a limited login, on which an address with a NUL leads nowhere."""

    index_title = "Staff console"
    index_template = "admin/console/start.html"
    login_form = LimitedLoginForm

    def admin_view(
        self,
        view: View,
        cacheable: bool = False,  # noqa: FBT001, FBT002
    ) -> View:
        """Wrap a page. Raises 404 for a NUL in the path or the query, which PostgreSQL takes in no value."""

        @wraps(view)
        def without_nul(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            query = (each for name, values in request.GET.lists() for each in (name, *values))
            if any("\x00" in text for text in (request.path_info, *query)):
                raise Http404
            return view(request, *args, **kwargs)

        return cast("View", super().admin_view(without_nul, cacheable))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Leave Unfold's colours out of the page.

        It would write them as an inline style, which the policy refuses; `console/theme.css` has them.
        """
        return {**super().each_context(request), "colors": None}
