"""Conditional requests: ETag, If-None-Match and If-Match (spec 2 "Conditional writes", RFC 9110 section 13).

A tag is the hash of what a GET answers. Where the platform itself moves some of it, such as the time of the last
health check, the tag has two parts, `"<written>.<moving>"`: a reader wants to know of both, while a writer is held up
by a change of what can be written alone.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

import orjson
from django.db import OperationalError, connection, transaction
from django.http import HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from psycopg.errors import SerializationFailure
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.envelope import Page, dump_json
from aiffinity.lib.errors import NotFound, PreconditionFailed, field_error

CONDITIONAL_METHODS = frozenset({"PUT", "PATCH", "DELETE"})
PRIVATE = "private, no-cache"
MAX_ATTEMPTS = 3

_TAGS = re.compile(r'\A\s*(?:\*|(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"(?:\s*,\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*")*)\s*\Z')
_TAG = re.compile(r'(?:W/)?"[^"]*"|\*')


class ConditionalView(Protocol):
    """What a view says about its tags: see PlatformView."""

    moving_fields: tuple[str, ...]
    one_time_fields: tuple[str, ...]
    public_max_age_seconds: int | None

    def current(self, request: Request, **kwargs: Any) -> Response:
        """Answer the resource that a write to the view's path changes."""


def entity_tag(view: ConditionalView, data: Any) -> str:
    """Return the tag of a rendered resource or page, with its quotes."""
    if isinstance(data, Page):
        return f'"{_digest([data.items, data.pagination.as_meta()])}"'
    if not isinstance(data, Mapping):
        return f'"{_digest(data)}"'
    written = _digest(_without(data, {*view.moving_fields, *view.one_time_fields}))
    if not view.moving_fields:
        return f'"{written}"'
    return f'"{written}.{_digest([data.get(name) for name in view.moving_fields])}"'


def add_tag(view: ConditionalView, request: Request, response: HttpResponseBase) -> HttpResponseBase:
    """Add tag and caching to an answer that shows a resource, or answer 304 where the caller has it already."""
    is_read = request.method in ("GET", "HEAD")
    if not isinstance(response, Response) or not (is_read or request.method in ("PUT", "PATCH")):
        return response
    if response.status_code not in (200, 201):
        return response
    tag = entity_tag(view, response.data)
    response.headers.setdefault("ETag", tag)
    if is_read:
        _say_who_may_keep(view, request, response)
        if _is_known(request, tag):
            return _not_modified(response)
    return response


def is_conditional_write(request: Request) -> bool:
    """Say whether a request writes on a condition."""
    return request.method in CONDITIONAL_METHODS and bool({"If-Match", "If-None-Match"} & set(request.headers))


def write_if_unchanged(
    view: ConditionalView, handler: Callable[..., Response], request: Request, **kwargs: Any
) -> Response:
    """Run a handler where the request's condition holds; nobody else's write comes between the two.

    Both see one snapshot of the database: where somebody else changes the resource meanwhile, PostgreSQL refuses
    this write, and the condition is asked once more. Raises PreconditionFailed (412) with the resource's tag.
    """
    conditions = _conditions(request)
    for attempt in range(MAX_ATTEMPTS):
        try:
            with transaction.atomic(durable=True):
                _take_one_snapshot()
                return _write(view, handler, request, conditions, kwargs)
        except OperationalError as error:
            if not isinstance(error.__cause__, SerializationFailure) or attempt == MAX_ATTEMPTS - 1:
                raise
    raise AssertionError("The last attempt returns or raises.")


def _write(
    view: ConditionalView,
    handler: Callable[..., Response],
    request: Request,
    conditions: Mapping[str, list[str]],
    kwargs: Mapping[str, Any],
) -> Response:
    tag = _current_tag(view, request, kwargs)
    if _is_met(conditions, tag):
        return handler(request, **kwargs)
    if tag is None:
        # What the path refuses anyway, such as an app that is somebody else's, is told first.
        handler(request, **kwargs)
        raise PreconditionFailed("There is nothing at this path yet; leave If-Match out to make it.")
    raise PreconditionFailed(headers={"ETag": tag})


def _current_tag(view: ConditionalView, request: Request, kwargs: Mapping[str, Any]) -> str | None:
    try:
        return entity_tag(view, view.current(request, **kwargs).data)
    except NotFound:
        if request.method != "PUT":
            raise
        return None


def _conditions(request: Request) -> dict[str, list[str]]:
    return {name: _tags(request, name) for name in ("If-Match", "If-None-Match") if name in request.headers}


def _tags(request: Request, name: str) -> list[str]:
    value = request.headers[name]
    if not _TAGS.match(value):
        raise field_error(name, "Send the ETag as it was answered, with its quotes, or `*`.")
    return _TAG.findall(value)


def _is_met(conditions: Mapping[str, Collection[str]], tag: str | None) -> bool:
    wanted, unwanted = conditions.get("If-Match"), conditions.get("If-None-Match")
    if wanted is not None and (tag is None or not ("*" in wanted or _written(tag) in map(_written, wanted))):
        return False
    return not (unwanted is not None and tag is not None and ("*" in unwanted or tag in map(_strong, unwanted)))


def _is_known(request: Request, tag: str) -> bool:
    if "If-None-Match" not in request.headers:
        return False
    known = _TAG.findall(request.headers["If-None-Match"])
    return "*" in known or tag in map(_strong, known)


def _written(tag: str) -> str:
    """Return the part of a tag that a write is held against; a weak tag has none (RFC 9110 section 13.1.1)."""
    return tag.partition(".")[0].rstrip('"')


def _strong(tag: str) -> str:
    return tag.removeprefix("W/")


def _say_who_may_keep(view: ConditionalView, request: Request, response: Response) -> None:
    patch_vary_headers(response, ["Authorization"])
    is_public = view.public_max_age_seconds is not None and request.auth is None
    kept = f"public, max-age={view.public_max_age_seconds}" if is_public else PRIVATE
    response.headers.setdefault("Cache-Control", kept)


def _not_modified(response: Response) -> HttpResponseNotModified:
    headers = {name: value for name, value in response.headers.items() if not name.startswith("Content-")}
    return HttpResponseNotModified(headers=headers)


def _take_one_snapshot() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _without(data: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in names}


def _digest(value: Any) -> str:
    # Times count to the microsecond: a value that is never shown may be set twice in a second.
    exact = dump_json(value, option=orjson.OPT_UTC_Z | orjson.OPT_SORT_KEYS)
    return base64.urlsafe_b64encode(hashlib.sha256(exact).digest()[:12]).decode()
