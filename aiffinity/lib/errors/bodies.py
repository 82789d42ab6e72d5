"""The two bodies of an error: the documents' own, and RFC 9457's for callers that ask for it (spec 1 decision 2)."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from aiffinity.lib.errors.registry import REGISTRY
from aiffinity.lib.errors.tree import PlatformError
from aiffinity.lib.request_ids import get_request_id

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"


def render_error(error: PlatformError, request: HttpRequest) -> tuple[dict[str, Any], str]:
    """Return an error's body and the media type that it has."""
    if wants_problem(request):
        return problem_body(error, request.path), PROBLEM_TYPE
    return error_body(error), JSON_TYPE


def wants_problem(request: HttpRequest) -> bool:
    """Say whether `Accept` names application/problem+json; `*/*` and `application/*` name nothing."""
    return any(
        f"{accepted.main_type}/{accepted.sub_type}".lower() == PROBLEM_TYPE and accepted.quality > 0
        for accepted in request.accepted_types
    )


def error_body(error: PlatformError) -> dict[str, Any]:
    """Render the documents' error body."""
    return {
        "error": {
            "code": error.code,
            "message": error.message,
            "requestId": get_request_id(),
            "details": [detail._asdict() for detail in error.details],
            **error.extra,
        }
    }


def problem_body(error: PlatformError, path: str) -> dict[str, Any]:
    """Render a problem (RFC 9457 section 3); `errors` is what the documents' body calls `details`."""
    return {
        "type": f"{settings.BASE_URL}/v1/errors#{error.code}",
        "status": error.status,
        "title": REGISTRY[error.code].meaning,
        "detail": error.message,
        "instance": path,
        "code": error.code,
        "requestId": get_request_id(),
        "errors": [detail._asdict() for detail in error.details],
        **error.extra,
    }


def media_type_of(body: Any) -> str:
    """Return the media type of a body that was kept."""
    is_problem = isinstance(body, dict) and {"type", "title", "status", "requestId"} <= set(body)
    return PROBLEM_TYPE if is_problem else JSON_TYPE
