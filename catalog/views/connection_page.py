"""The page that a provider's consent page sends the user back to; it exchanges nothing (spec 4)."""

import re
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from aiffinity.lib.views import PlatformView
from runtime.connections.authorization import find_request

_CODE = re.compile(r"\A[\x21-\x7e]{1,4096}\Z")
_STATE = re.compile(r"\A[A-Za-z0-9_-]{20,200}\Z")


class ConnectionCallbackView(PlatformView):
    """Where the provider's consent page sends the user back to.

    The code is worth nothing without the ID token of the user who began: only they can complete the connection.
    What the provider writes beside its error code is not shown.
    """

    permission_classes = (AllowAny,)
    is_bare = True
    is_page = True

    @extend_schema(
        operation_id="showConnectionCallback",
        summary="Show how a visit to the provider's consent page ended",
        description="A page for the user's browser; it hands code and state on to the Aiffinity app by a link.",
        tags=["Connections"],
        parameters=[
            OpenApiParameter("state", description="The state that the authorization began with."),
            OpenApiParameter("code", description="What the provider handed out."),
            OpenApiParameter("error", description="Why it handed out nothing, such as access_denied."),
        ],
        responses={(200, "text/html"): OpenApiTypes.STR, (400, "text/html"): OpenApiTypes.STR},
        auth=[],
    )
    def get(self, request: Request, app_id: str) -> HttpResponse:
        """Answer the page, with 400 where the state doesn't count (any more), or not for this app."""
        status, context = _outcome(app_id, request.query_params.dict())
        response = render(request._request, "connections/callback.html", context, status=status)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response


def _outcome(app_id: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
    state = query.get("state", "")
    pending = find_request(state, app_id=app_id) if _STATE.match(state) else None
    if pending is None:
        return 400, {"outcome": "expired"}
    context = {"app_name": pending.runtime_app.app.name}
    if query.get("error") == "access_denied":
        return 200, {**context, "outcome": "denied", "return_url": _return_url(error="access_denied", state=state)}
    code = query.get("code", "")
    if "error" in query or not _CODE.match(code):
        return 200, {**context, "outcome": "failed", "return_url": _return_url(error="provider_error", state=state)}
    return 200, {**context, "outcome": "ready", "return_url": _return_url(code=code, state=state)}


def _return_url(**query: str) -> str:
    url = str(settings.CONNECTION_RETURN_URL)
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
