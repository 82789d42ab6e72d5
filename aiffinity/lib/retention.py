"""What is deleted when its time is over: each room registers a purge for whatever it keeps for a while.

A purge deletes in small batches, each a transaction of its own, so that it may run while the platform serves, be
broken off at any time and run twice at once.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, connection
from django.db.models import Model, QuerySet
from django.utils import timezone

logger = logging.getLogger(__name__)

BATCH_SIZE = 2_000

# Deletes what is too old at the given time and returns how many rows that were.
Purge = Callable[[datetime], int]
_purges: dict[str, Purge] = {}


@dataclass(frozen=True)
class Purged:
    """What became of one purge: how many rows it deleted, or None where the database failed it."""

    name: str
    deleted: int | None


def register_retention(name: str, purge: Purge) -> None:
    """Add a purge under what it deletes, such as "health checks"; a room calls this in AppConfig.ready()."""
    _purges[name] = purge


def purge_all() -> Iterator[Purged]:
    """Run every purge in the order of registration; one that fails is logged, and the others run all the same."""
    for name, purge in list(_purges.items()):
        try:
            yield Purged(name, purge(timezone.now()))
        except DatabaseError:
            logger.exception("a purge failed", extra={"purge": name})
            connection.close_if_unusable_or_obsolete()
            yield Purged(name, None)


def delete_in_batches(rows: QuerySet[Model], *, batch_size: int = BATCH_SIZE) -> int:
    """Delete the rows of a queryset with what cascades from them, batch by batch; returns how many rows there were."""
    deleted = 0
    while True:
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[:batch_size])
        # The condition is asked once more: a row that was renewed meanwhile stays.
        gone = rows.filter(pk__in=keys).delete()[1].get(rows.model._meta.label, 0)
        deleted += gone
        if len(keys) < batch_size or not gone:
            return deleted
