"""Moving sealed rows to the active master key while the platform serves (spec 4 "Secrets at rest")."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet

from aiffinity.lib.crypto import FORMAT, Keyring, keyring

BATCH_SIZE = 200


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed texts; `context_of` says of a row what its text is bound to, with the relations it reads."""

    model: type[Model]
    field: str
    context_of: Callable[[Any], str]
    relations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rewrapped:
    """What became of one column: how many rows moved, and the keys of those that don't open."""

    column: SealedColumn
    moved: int
    unreadable: list[str]


# Each room adds its own in AppConfig.ready(); the library's are added there too.
sealed_columns: list[SealedColumn] = []


def rewrap_column(column: SealedColumn) -> Rewrapped:
    """Wrap every data key of a column anew under the active master key, in batches and without locks.

    A row that changes meanwhile is left as it is: whoever changed it sealed it anew.
    """
    ring, moved, unreadable, last = keyring(), 0, [], ""
    while batch := list(_rows(column, ring, after=last)[:BATCH_SIZE]):
        for row in batch:
            try:
                moved += _rewrap(column, ring, row)
            except ValueError:
                unreadable.append(str(row.pk))
        last = batch[-1].pk
    return Rewrapped(column, moved, unreadable)


def _rows(column: SealedColumn, ring: Keyring, *, after: Any) -> QuerySet[Model]:
    is_done = Q(**{column.field: ""}) | Q(**{f"{column.field}__startswith": f"{FORMAT}.{ring.active_id}."})
    rows = column.model._base_manager.exclude(is_done).order_by("pk").select_related(*column.relations)
    return rows.filter(pk__gt=after) if after else rows


def _rewrap(column: SealedColumn, ring: Keyring, row: Model) -> int:
    sealed: str = getattr(row, column.field)
    renewed = ring.rewrap(sealed, context=column.context_of(row))
    return column.model._base_manager.filter(pk=row.pk, **{column.field: sealed}).update(**{column.field: renewed})
