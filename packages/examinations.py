"""What `manage.py doctor` asks of the room: are validations and listings on time."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Min, Q
from django.utils import timezone

from aiffinity.lib.doctor import Finding, grade, in_words, overdue
from packages.models import ValidationRun
from packages.runs import OPEN_RUN_STATES

RUN_WARNING, RUN_FAULT = timedelta(minutes=1), timedelta(minutes=10)


def examine_validations() -> Iterator[Finding]:
    """Find validation runs that nobody works on."""
    unheld = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    waiting = ValidationRun.objects.filter(unheld, state__in=OPEN_RUN_STATES)
    late_by = overdue(waiting.aggregate(since=Min("created_at"))["since"])
    severity = grade(late_by, warn_after=RUN_WARNING, fault_after=RUN_FAULT)
    if severity is not None:
        yield Finding(
            "validations_late",
            severity,
            f"{waiting.count()} validation runs wait for a worker; the oldest has waited for {in_words(late_by)}.",
            "Providers can't submit their versions.",
            "See that a worker and the beat run, and look into the worker's log.",
        )
