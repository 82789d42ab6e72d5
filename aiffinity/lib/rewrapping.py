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

    @property
    def label(self) -> str:
        """Return the column's name for people, such as `runtime.NamedSecret.sealed_value`."""
        return f"{self.model._meta.label}.{self.field}"


@dataclass(frozen=True)
class Rewrapped:
    """What became of one column: how many rows moved, the keys of those that don't open, and what is left.

    `left` counts the rows under older keys that are there afterwards besides: somebody still seals with one.
    """

    column: SealedColumn
    moved: int
    unreadable: list[str]
    left: int


# Each room adds its own in AppConfig.ready(); the library's are added there too.
sealed_columns: list[SealedColumn] = []


def rewrap_column(column: SealedColumn) -> Rewrapped:
    """Wrap every data key of a column anew under the active master key, in batches and without locks.

    A row that changes meanwhile is left as it is: whoever changed it sealed it anew. A rotation that was broken off
    is gone on with by another one: what has moved is passed over.
    """
    ring, moved, unreadable, last = keyring(), 0, [], ""
    while batch := list(_rows(column, ring, after=last)[:BATCH_SIZE]):
        for row in batch:
            try:
                moved += _rewrap(column, ring, row)
            except ValueError:
                unreadable.append(str(row.pk))
        last = batch[-1].pk
    left = _rows(column, ring).exclude(pk__in=unreadable).count()
    return Rewrapped(column, moved, unreadable, left)


def count_not_rewrapped(column: SealedColumn) -> int:
    """Return how many rows of a column are sealed under another master key than the active one."""
    return _rows(column, keyring()).count()


def _rows(column: SealedColumn, ring: Keyring, *, after: Any = "") -> QuerySet[Model]:
    is_done = Q(**{column.field: ""}) | Q(**{f"{column.field}__startswith": f"{FORMAT}.{ring.active_id}."})
    rows = column.model._base_manager.exclude(is_done).order_by("pk").select_related(*column.relations)
    return rows.filter(pk__gt=after) if after else rows


def _rewrap(column: SealedColumn, ring: Keyring, row: Model) -> int:
    sealed: str = getattr(row, column.field)
    renewed = ring.rewrap(sealed, context=column.context_of(row))
    return column.model._base_manager.filter(pk=row.pk, **{column.field: sealed}).update(**{column.field: renewed})
