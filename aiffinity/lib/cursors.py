"""Pages of long lists by cursor: the place after a row, by what the list is ordered by (spec 2 "Pagination").

A cursor is signed, so that what it holds fits the list that gave it out, and grants nothing: the queryset that it cuts
is the caller's own.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet
from rest_framework import serializers

from aiffinity.lib.envelope import Page, Pagination
from aiffinity.lib.errors import field_error

M = TypeVar("M", bound=Model)

NEWEST_FIRST = ("-created_at", "-pk")
MAX_CURSOR_LENGTH = 400
# Beyond this many items past the page nobody counts on: counting all is slow.
MAX_COUNTED = 1_000


def cursor_field() -> serializers.CharField:
    """Make the field `cursor` of a list's query."""
    return serializers.CharField(
        max_length=MAX_CURSOR_LENGTH, required=False, help_text="The `nextCursor` of a page; not with `offset`."
    )


def newest_page(
    rows: QuerySet[M], render: Callable[[M], Any], *, limit: int, offset: int = 0, cursor: str | None = None
) -> Page:
    """Cut a page out of rows with a `created_at`, newest first; `total` is exact up to 1,000 past the page.

    Raises VALIDATION_ERROR for a cursor that is none.
    """
    total = rows.order_by()[: offset + limit + MAX_COUNTED].count()
    return page_in_order(rows, render, order=NEWEST_FIRST, total=total, limit=limit, offset=offset, cursor=cursor)


def page_in_order(
    rows: QuerySet[M],
    render: Callable[[M], Any],
    *,
    order: Sequence[str],
    total: int,
    limit: int,
    offset: int = 0,
    cursor: str | None = None,
) -> Page:
    """Cut a page out of rows, after `cursor` or after `offset` rows.

    `order` names fields or annotations that are never null and together tell any two rows apart. Raises
    VALIDATION_ERROR for a cursor that is none, or another list's.
    """
    if cursor is not None and offset:
        raise field_error("offset", "Give a cursor or an offset, not both.", code="conflict")
    rest = rows if cursor is None else rows.filter(_after(order, _read(cursor, order)))
    found = list(rest.order_by(*order)[offset : offset + limit + 1])
    shown = found[:limit]
    next_cursor = _cursor_after(shown[-1], order) if len(found) > limit else None
    return Page(
        [render(row) for row in shown], Pagination(total, limit, offset, is_keyset=True, next_cursor=next_cursor)
    )


def _cursor_after(row: Any, order: Sequence[str]) -> str:
    values = [reduce(getattr, name.lstrip("-").split("__"), row) for name in order]
    said = [value if isinstance(value, (int, float, str)) else value.isoformat() for value in values]
    return signing.dumps(said, salt=_salt(order))


def _read(cursor: str, order: Sequence[str]) -> list[Any]:
    try:
        values: list[Any] = signing.loads(cursor, salt=_salt(order))
    except signing.BadSignature:
        raise field_error("cursor", "Send the nextCursor of a page of this list as it came.", code="cursor") from None
    return values


def _after(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Return the condition of what follows a place; its first part is what an index can use."""
    [name, *names], [value, *others] = order, values
    field, way = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
    beyond = Q((f"{field}__{way}", value))
    if not names:
        return beyond
    return Q((f"{field}__{way}e", value)) & (beyond | _after(names, others))


def _salt(order: Sequence[str]) -> str:
    return "aiffinity.lib.cursors:" + ",".join(order)
