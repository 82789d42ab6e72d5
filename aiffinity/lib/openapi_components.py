"""The parts of the OpenAPI document that every operation shares."""

from collections.abc import Callable
from typing import Any

from django.conf import settings

from aiffinity.lib.errors import PROBLEM_TYPE, REGISTRY

Json = dict[str, Any]

SECURITY_ID_TOKEN = "firebaseIdToken"  # noqa: S105  The name of a scheme.
SECURITY_ACCESS_TOKEN = "oauth2"  # noqa: S105  The name of a scheme.
RATE_LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
EXAMPLE_REQUEST_ID = "req_01J8XKWM3N4QR5STVYZ2BCDEFG"
REQUEST_ID: Json = {"type": "string", "examples": [EXAMPLE_REQUEST_ID]}
TAG: Json = {"type": "string", "examples": ['"k3ZL0d8pQ1uYx2Va"']}

# Scopes of access tokens and what they allow; the room that issues tokens fills this in AppConfig.ready().
oauth_scopes: dict[str, str] = {}
# What says which scope a path and method need; filled by the same room.
scope_rules: list[Callable[[str, str], str | None]] = []

STATUS_TITLES = {
    400: "The request is wrong",
    401: "Credentials are missing or wrong",
    403: "These credentials may not do this",
    404: "There is no such resource for this caller",
    405: "The path doesn't take this method",
    409: "The request clashes with the current state",
    412: "The resource has changed since it was read",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "A rule forbids this",
    429: "Too many requests",
    500: "The platform failed",
    502: "The provider failed",
    503: "A part is away for the moment",
    504: "The provider did not answer in time",
}
EXTRA_HEADERS = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    412: ("ETag",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def header_refs(names: list[str]) -> Json:
    """Point at shared headers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def response_ref(status: str) -> Json:
    """Point at the shared error response of a status."""
    return {"$ref": f"#/components/responses/Error{status}"}


def components() -> Json:
    """Return every shared component by kind."""
    return {
        "schemas": {
            "Error": error_schema(),
            "Problem": problem_schema(),
            "Meta": meta_schema(),
            "ListMeta": list_meta_schema(),
        },
        "headers": headers(),
        "parameters": parameters(),
        "responses": {
            "NotModified": not_modified_response(),
            **{f"Error{status}": error_response(status) for status in STATUS_TITLES},
        },
        "securitySchemes": security_schemes(),
    }


def detail_schema() -> Json:
    """Describe one of an error's problems."""
    text: Json = {"type": "string"}
    return {
        "type": "object",
        "properties": {
            "field": {**text, "description": "The field's path, such as `capabilities[0].schema`."},
            "code": {**text, "description": "A stable word for the kind of problem."},
            "message": {**text, "description": "What is wrong with the field."},
        },
        "required": ["field", "code", "message"],
    }


def problem_schema() -> Json:
    """Describe the body that `Accept: application/problem+json` gets (RFC 9457)."""
    text: Json = {"type": "string"}
    properties: Json = {
        "type": {**text, "format": "uri", "description": "Names the code; `GET /v1/errors` explains it."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "title": {**text, "description": "What the code means."},
        "detail": {**text, "description": "The first problem, for people."},
        "instance": {**text, "description": "The path that was called."},
        "code": {**text, "enum": list(REGISTRY), "description": "See GET /v1/errors."},
        "requestId": {**REQUEST_ID, "description": "Give it to support."},
        "errors": {"type": "array", "items": detail_schema(), "description": "All problems."},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def error_schema() -> Json:
    """Describe the documents' error body."""
    text: Json = {"type": "string"}
    error = {
        "type": "object",
        "properties": {
            "code": {**text, "enum": list(REGISTRY), "description": "See GET /v1/errors."},
            "message": {**text, "description": "The first problem, for people."},
            "requestId": REQUEST_ID,
            "details": {"type": "array", "items": detail_schema(), "description": "All problems."},
        },
        "required": ["code", "message", "requestId", "details"],
    }
    return {"type": "object", "properties": {"error": error}, "required": ["error"]}


def meta_schema() -> Json:
    """Describe `meta` of one object."""
    return {"type": "object", "properties": {"requestId": REQUEST_ID}, "required": ["requestId"]}


def list_meta_schema() -> Json:
    """Describe `meta` of a page."""
    count: Json = {"type": "integer", "minimum": 0}
    pagination = {
        "type": "object",
        "properties": {
            "total": {**count, "description": "Items in the whole list."},
            "limit": {"type": "integer", "minimum": 1, "maximum": 100},
            "offset": count,
            "hasMore": {"type": "boolean", "description": "Whether items follow this page."},
            "nextCursor": {
                "type": ["string", "null"],
                "description": "On lists that take `cursor`: the page after this one.",
            },
        },
        "required": ["total", "limit", "offset", "hasMore"],
    }
    return {
        "type": "object",
        "properties": {"requestId": REQUEST_ID, "pagination": pagination},
        "required": ["requestId", "pagination"],
    }


def headers() -> Json:
    """Describe the response headers."""
    integer, text = {"type": "integer"}, {"type": "string"}
    described = {
        "X-Request-Id": (REQUEST_ID, "The request's id: yours if it was well-formed."),
        "X-RateLimit-Limit": (integer, "Calls allowed in the window."),
        "X-RateLimit-Remaining": (integer, "Calls left."),
        "X-RateLimit-Reset": (integer, "When the window ends, in epoch seconds."),
        "Idempotency-Replayed": (text, "`true` when this is the kept first answer."),
        "ETag": (TAG, "What `If-None-Match` and `If-Match` compare; it changes with the resource."),
        "Retry-After": (integer, "Seconds to wait."),
        "WWW-Authenticate": (text, "What to send (RFC 6750)."),
        "Allow": (text, "The methods that the path takes."),
    }
    return {name: {"schema": schema, "description": description} for name, (schema, description) in described.items()}


def parameters() -> Json:
    """Describe the parameters that many operations take."""
    return {
        "RequestId": {
            "name": "X-Request-Id",
            "in": "header",
            "schema": REQUEST_ID,
            "description": "Your own id for this request: `req_` and a ULID; one of another shape is replaced.",
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "pattern": "^[ -~]{1,255}$"},
            "description": "A retry with the same key and body gets the first answer for 24 hours.",
        },
        "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "schema": TAG,
            "description": "An `ETag` that you have: while it holds, the answer is 304 without a body.",
        },
        "IfMatch": {
            "name": "If-Match",
            "in": "header",
            "schema": TAG,
            "description": "The `ETag` that you read: the call is refused (412) where somebody wrote meanwhile.",
        },
        "Limit": {
            "name": "limit",
            "in": "query",
            "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
            "description": "Items on the page.",
        },
        "Offset": {
            "name": "offset",
            "in": "query",
            "schema": {"type": "integer", "minimum": 0, "maximum": 1_000_000, "default": 0},
            "description": "Items to skip before the page.",
        },
    }


def not_modified_response() -> Json:
    """Describe the answer to a GET of what the caller has already."""
    names = ["X-Request-Id", *RATE_LIMIT_HEADERS, "ETag"]
    return {"description": "What you have is what there is.", "headers": header_refs(names)}


def error_response(status: int) -> Json:
    """Describe the errors of one status, with its codes out of the registry."""
    codes = [entry.code for entry in REGISTRY.values() if status in entry.statuses]
    narrowed = {"properties": {"error": {"properties": {"code": {"enum": codes}}}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Error"}, narrowed]}
    names = ["X-Request-Id", *RATE_LIMIT_HEADERS, *EXTRA_HEADERS.get(status, ())]
    return {
        "description": f"{STATUS_TITLES[status]}: {', '.join(f'`{code}`' for code in codes)}.",
        "headers": header_refs(names),
        "content": {
            "application/json": {"schema": schema, "example": error_example(codes[0])},
            PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}},
        },
    }


def error_example(code: str) -> Json:
    """Return a body with a code, as the documents print it."""
    details: list[Json] = []
    message = REGISTRY[code].meaning
    if code == "VALIDATION_ERROR":
        details = [{"field": "name", "code": "blank", "message": "This field may not be blank."}]
        message = "name: This field may not be blank."
    return {"error": {"code": code, "message": message, "requestId": EXAMPLE_REQUEST_ID, "details": details}}


def security_schemes() -> Json:
    """Describe the two kinds of tokens."""
    token_url = f"{settings.BASE_URL}/v1/providers/auth/token"
    return {
        SECURITY_ID_TOKEN: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A user's Firebase ID token, as login and refresh return it.",
        },
        SECURITY_ACCESS_TOKEN: {
            "type": "oauth2",
            "description": "An app's access token (client credentials).",
            "flows": {"clientCredentials": {"tokenUrl": token_url, "scopes": dict(oauth_scopes)}},
        },
    }
