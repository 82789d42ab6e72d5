"""Claiming connections whose next attempt is due, under a lease and a fence (spec 6)."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from runtime.models import Connection, ConnectionStatus
from runtime.models.connections import ConnectionQuerySet

LEASE = timedelta(seconds=30)
# The whole batch is sent at once, and its answers come or fail well within the lease.
BATCH_SIZE = 100
# No provider gets more requests at once, nor fills a batch alone.
MOST_OF_AN_APP = 20
LEAST_LEASE_TO_SEND = timedelta(seconds=12)


def claim_due(status: ConnectionStatus) -> list[Connection]:
    """Claim a batch of connections that are due: refreshes where status is active, revocations where revoking.

    Round robin over the apps, with a share that none exceeds: one with thousands of connections keeps those of the
    others waiting for one small batch at most.
    """
    now = timezone.now()
    due = Connection.objects.filter(status=status, next_attempt_at__lte=now)
    place = Window(RowNumber(), partition_by="runtime_app_id", order_by="next_attempt_at")
    shares = due.annotate(place=place).filter(place__lte=MOST_OF_AN_APP)
    batch = shares.order_by("place", "next_attempt_at").values("pk")[:BATCH_SIZE]
    with transaction.atomic():
        chosen = [row.pk for row in due.filter(pk__in=batch).select_for_update(skip_locked=True).only("pk")]
        Connection.objects.filter(pk__in=chosen).update(
            lease_until=now + LEASE, next_attempt_at=now + LEASE, fence=F("fence") + 1
        )
    # A row that somebody connected anew in between is not this claim's any more.
    return list(_rows().filter(pk__in=chosen, lease_until=now + LEASE))


def claim_one(connection: Connection) -> Connection | None:
    """Claim one connection for a refresh right now; None while somebody else holds it or it changed."""
    now = timezone.now()
    unheld = Connection.objects.filter(pk=connection.pk, status=ConnectionStatus.ACTIVE, fence=connection.fence)
    if not unheld.exclude(lease_until__gt=now).update(
        lease_until=now + LEASE, next_attempt_at=now + LEASE, fence=F("fence") + 1
    ):
        return None
    return _rows().filter(pk=connection.pk, lease_until=now + LEASE).first()


def may_send(row: Connection) -> bool:
    """Say whether a claim lasts until an answer must be there.

    A worker that was held up for longer sends nothing: somebody else may have done it meanwhile, and a refresh
    token that is shown twice ends the connection at careful providers.
    """
    return row.lease_until is not None and row.lease_until > timezone.now() + LEAST_LEASE_TO_SEND


def _rows() -> ConnectionQuerySet:
    return Connection.objects.select_related("runtime_app__app")
