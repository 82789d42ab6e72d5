"""The content security policy of every answer; the staff console alone may evaluate text as script."""

from csp.constants import UNSAFE_EVAL
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase

CONSOLE_PREFIX = "/admin/"


class ContentSecurityMiddleware(CSPMiddleware):
    """Adds what Unfold needs below `/admin/`: its Alpine evaluates attributes with `new Function`."""

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,  # noqa: FBT001, FBT002
    ) -> PolicyParts:
        """Return the settings' policy, with `unsafe-eval` for the console's pages."""
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(CONSOLE_PREFIX):
            parts.update = {**(parts.update or {}), "script-src": [UNSAFE_EVAL]}
        return parts
