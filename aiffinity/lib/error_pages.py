"""Errors outside of any view: JSON for the API's paths, Django's plain pages elsewhere."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views import defaults

from aiffinity.lib.envelope import dump_json
from aiffinity.lib.errors import NotFound, PermissionDenied, PlatformError, ValidationFailed, render_error

API_PREFIXES = ("/v1/", "/.well-known/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer what Django refuses before any view, such as a foreign Host header."""
    error = ValidationFailed("The request can't be read; check its Host header and its parts.")
    return _api_error(request, error) or defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer a refusal outside of any API view."""
    return _api_error(request, PermissionDenied()) or defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer an unknown path."""
    return _api_error(request, NotFound()) or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer what failed outside of any API view."""
    return _api_error(request, PlatformError()) or defaults.server_error(request)


def _api_error(request: HttpRequest, error: PlatformError) -> HttpResponse | None:
    if not request.path.startswith(API_PREFIXES):
        return None
    body, media_type = render_error(error, request)
    response = HttpResponse(dump_json(body), status=error.status, content_type=media_type)
    patch_vary_headers(response, ["Accept"])
    return response
