"""How long the findings of a validation run are kept: for good while they count, else 90 days."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from packages.models import ValidationRun

DETAIL_KEPT_FOR = timedelta(days=90)
BATCH_SIZE = 500


def purge_run_details(now: datetime) -> int:
    """Empty the list of checks of old runs and return how many runs there were; state and scores stay.

    A version's newest run keeps its checks: reviewers, gates and backtests read them.
    """
    newer = ValidationRun.objects.filter(version=OuterRef("version"), created_at__gt=OuterRef("created_at"))
    old = ValidationRun.objects.filter(Exists(newer), finished_at__lt=now - DETAIL_KEPT_FOR).exclude(checks=[])
    emptied = 0
    while batch := list(old.order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE]):
        emptied += ValidationRun.objects.filter(pk__in=batch).update(checks=[])
    return emptied
