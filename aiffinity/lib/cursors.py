"""Pages of long lists by cursor: the place after a row, by its time and id (spec 2 "Pagination").

A cursor names a place and grants nothing: the queryset that it cuts is the caller's own.
"""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from aiffinity.lib.envelope import Page, Pagination
from aiffinity.lib.errors import field_error

M = TypeVar("M", bound=Model)

MAX_CURSOR_LENGTH = 200
# Beyond this many items past the page nobody counts on: counting all is slow.
MAX_COUNTED = 1_000


def newest_page(
    rows: QuerySet[M], render: Callable[[M], Any], *, limit: int, offset: int = 0, cursor: str | None = None
) -> Page:
    """Cut a page out of rows with a `created_at`, newest first, after `cursor` or after `offset` rows.

    `total` is exact up to 1,000 past the page. Raises VALIDATION_ERROR for a cursor that is none.
    """
    if cursor is not None and offset:
        raise field_error("offset", "Give a cursor or an offset, not both.", code="conflict")
    total = rows.order_by()[: offset + limit + MAX_COUNTED].count()
    rest = rows if cursor is None else rows.filter(_after(cursor))
    found = list(rest.order_by("-created_at", "-pk")[offset : offset + limit + 1])
    shown = found[:limit]
    next_cursor = _cursor_after(shown[-1]) if len(found) > limit else None
    return Page(
        [render(row) for row in shown], Pagination(total, limit, offset, is_keyset=True, next_cursor=next_cursor)
    )


def _cursor_after(row: Any) -> str:
    return base64.urlsafe_b64encode(f"{row.created_at.isoformat()}|{row.pk}".encode()).decode().rstrip("=")


def _after(cursor: str) -> Q:
    """Return the condition of what follows a cursor; the first part of it is what an index can use."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        moment_text, _, pk = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition("|")
        moment = datetime.fromisoformat(moment_text)
        is_cursor = moment.tzinfo is not None and pk.isprintable() and len(cursor) <= MAX_CURSOR_LENGTH
    except (ValueError, binascii.Error):
        is_cursor = False
    if not is_cursor:
        raise field_error("cursor", "Send the nextCursor of a page as it came.", code="cursor")
    return Q(created_at__lte=moment) & (Q(created_at__lt=moment) | Q(pk__lt=pk))
