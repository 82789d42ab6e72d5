"""The envelope around every answer: `{"data", "meta"}` (spec 1 decision 1, spec 2 "Envelope")."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from aiffinity.lib.request_ids import get_request_id

ON_THE_WIRE = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS
LONGEST_INTEGER_BITS = 63


@dataclass(frozen=True)
class Pagination:
    """Where a page stands in its list; counted in items, or told by the cursor of the page after it."""

    total: int
    limit: int
    offset: int
    is_keyset: bool = False
    next_cursor: str | None = None

    def as_meta(self) -> dict[str, Any]:
        """Render `meta.pagination` as the documents print it."""
        has_more = self.next_cursor is not None if self.is_keyset else self.offset + self.limit < self.total
        meta = {"total": self.total, "limit": self.limit, "offset": self.offset, "hasMore": has_more}
        return {**meta, "nextCursor": self.next_cursor} if self.is_keyset else meta


@dataclass(frozen=True)
class Page:
    """Rendered items of a list with their place in it."""

    items: Sequence[Any]
    pagination: Pagination


def dump_json(value: Any, *, option: int = ON_THE_WIRE) -> bytes:
    """Serialise, for the wire unless options of orjson say otherwise; times become ISO 8601 UTC with Z."""
    try:
        return orjson.dumps(value, default=_default, option=option)
    except orjson.JSONEncodeError:
        return orjson.dumps(_without_long_integers(value), default=_default, option=option)


def _without_long_integers(value: Any) -> Any:
    """Turn integers beyond 64 bits, which orjson refuses, into the floats that they came as: jsonb spells 1e30 out."""
    if isinstance(value, Mapping):
        return {key: _without_long_integers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_long_integers(item) for item in value]
    is_long = isinstance(value, int) and value.bit_length() > LONGEST_INTEGER_BITS
    return float(value) if is_long else value


def _default(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def wrap(data: Any) -> dict[str, Any]:
    """Put data into the envelope."""
    meta: dict[str, Any] = {"requestId": get_request_id()}
    if isinstance(data, Page):
        meta["pagination"] = data.pagination.as_meta()
        return {"data": data.items, "meta": meta}
    return {"data": data, "meta": meta}


class EnvelopeRenderer(BaseRenderer):
    """Renders JSON, in the envelope unless the response is an error or the view says `is_bare`."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Serialise an answer."""
        context = renderer_context or {}
        response = context.get("response")
        is_bare = getattr(context.get("view"), "is_bare", False) or getattr(response, "is_enveloped", False)
        if is_bare or getattr(response, "exception", False):
            return dump_json(data)
        return dump_json(wrap(data))


class JsonAlways(BaseContentNegotiation):
    """Answers JSON whatever `Accept` says: an API error must never be an HTML page."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """Choose the parser whose media type the body has, or none (415)."""
        content_type = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Choose the first renderer."""
        first = next(iter(renderers))
        return first, first.media_type
