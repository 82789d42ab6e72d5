"""How long a case will take: its place in the queue and how fast its tier was decided lately (spec 3 "Forecast")."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from packages.models import Review

RECENT = timedelta(days=90)
_PERCENTILES = """
    SELECT percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
        ORDER BY EXTRACT(EPOCH FROM decided_at - queued_at) / 3600
    )
    FROM packages_review
    WHERE tier = %s AND decided_at > %s
"""


@dataclass(frozen=True)
class Forecast:
    """How many cases of a tier wait, and in how many hours half and nine tenths of the recent ones were decided.

    The hours are None as long as nothing was decided in the last 90 days.
    """

    waiting: int
    p50_hours: float | None
    p90_hours: float | None


def forecast(tier: str) -> Forecast:
    """Return the forecast of a tier, from the time that cases spent in the queue until their decision."""
    waiting = Review.objects.filter(tier=tier, closed_at=None, is_awaiting_provider=False).count()
    with connection.cursor() as cursor:
        cursor.execute(_PERCENTILES, [tier, timezone.now() - RECENT])
        [hours] = cursor.fetchone() or [None]
    p50, p90 = (round(float(each), 1) for each in hours) if hours else (None, None)
    return Forecast(waiting, p50, p90)


def queue_position(review: Review) -> int | None:
    """Return the place of a case in its tier's queue, from 1; None for one that does not wait for reviewers."""
    if review.closed_at is not None or review.is_awaiting_provider:
        return None
    earlier = Q(due_at__lt=review.due_at) | Q(due_at=review.due_at, pk__lt=review.pk)
    queue = Review.objects.filter(tier=review.tier, closed_at=None, is_awaiting_provider=False)
    return queue.filter(earlier).count() + 1
