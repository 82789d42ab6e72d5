"""The one handler that renders errors: whatever a view raised becomes the documents' error body."""

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils.cache import patch_vary_headers
from rest_framework import exceptions as drf
from rest_framework.response import Response

from aiffinity.lib.errors.bodies import render_error
from aiffinity.lib.errors.tree import (
    Detail,
    InvalidJson,
    MethodNotAllowed,
    NotFound,
    PermissionDenied,
    PlatformError,
    RateLimited,
    ServiceUnavailable,
    Unauthenticated,
    UnsupportedMediaType,
    ValidationFailed,
)

logger = logging.getLogger(__name__)

DATABASE_RETRY_AFTER_SECONDS = 5


def handle_exception(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Turn anything that a view raised into the error envelope; never an HTML page, never a bare 500."""
    error = to_platform_error(exc)
    if error.status >= 500 and not isinstance(exc, PlatformError):
        logger.error("request failed", exc_info=exc)
    headers = dict(error.headers)
    if error.status == 401:
        headers.setdefault("WWW-Authenticate", _challenge(error))
    body, media_type = render_error(error, context["request"]._request)
    response = Response(body, status=error.status, headers=headers, content_type=media_type)
    response.exception = True
    patch_vary_headers(response, ["Accept"])
    return response


def to_platform_error(exc: Exception) -> PlatformError:
    """Map what Django, DRF and the database raise onto the tree."""
    if isinstance(exc, PlatformError):
        return exc
    if isinstance(exc, drf.APIException):
        return _from_drf(exc)
    if isinstance(exc, (OperationalError, InterfaceError)):
        return ServiceUnavailable("The database is away; try again.", retry_after_seconds=DATABASE_RETRY_AFTER_SECONDS)
    return _from_django(exc)


def _from_django(exc: Exception) -> PlatformError:
    if isinstance(exc, Http404):
        return NotFound()
    if isinstance(exc, DjangoPermissionDenied):
        return PermissionDenied()
    if isinstance(exc, SuspiciousOperation):
        # Django's own limits, such as that of a thousand parameters.
        return ValidationFailed("The request can't be read: it has too many parts, or malformed ones.")
    return PlatformError()


def _from_drf(exc: drf.APIException) -> PlatformError:
    if isinstance(exc, drf.ValidationError):
        return ValidationFailed(details=flatten_details(exc.detail))
    if isinstance(exc, (drf.NotAuthenticated, drf.AuthenticationFailed)):
        return Unauthenticated()
    if isinstance(exc, drf.PermissionDenied):
        return PermissionDenied()
    if isinstance(exc, drf.NotFound):
        return NotFound()
    if isinstance(exc, drf.ParseError):
        return InvalidJson(str(exc.detail))
    return _status_only(exc)


def _status_only(exc: drf.APIException) -> PlatformError:
    if isinstance(exc, drf.MethodNotAllowed):
        return MethodNotAllowed(str(exc.detail))
    if isinstance(exc, drf.Throttled):
        return RateLimited()
    if isinstance(exc, drf.UnsupportedMediaType):
        return UnsupportedMediaType(f"{exc.detail} Send `Content-Type: application/json`.")
    return PlatformError()


def flatten_details(detail: Any, path: str = "") -> list[Detail]:
    """List a serializer's nested errors with paths such as `capabilities[0].schema`."""
    if isinstance(detail, Mapping):
        found: list[Detail] = []
        for key, value in detail.items():
            inner = path if key == "non_field_errors" else _join(path, key)
            found.extend(flatten_details(value, inner))
        return found
    if isinstance(detail, (list, tuple)):
        found = []
        for index, value in enumerate(detail):
            is_nested = isinstance(value, (Mapping, list, tuple))
            found.extend(flatten_details(value, f"{path}[{index}]" if is_nested else path))
        return found
    return [Detail(path, str(getattr(detail, "code", "invalid")), str(detail))]


def _join(path: str, key: object) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)


def _challenge(error: PlatformError) -> str:
    if error.code == "UNAUTHENTICATED":
        return 'Bearer realm="aiffinity"'
    description = error.message.replace("\\", "").replace('"', "'")
    return f'Bearer realm="aiffinity", error="invalid_token", error_description="{description}"'
