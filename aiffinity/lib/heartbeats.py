"""When the beat was last heard by a worker: what tells ops that periodic work goes on."""

from datetime import datetime

from django.utils import timezone

from aiffinity.lib.models import Heartbeat

BEAT = "beat"


def note_heartbeat() -> None:
    """Write that a wake-up of the beat arrived just now."""
    Heartbeat.objects.update_or_create(name=BEAT, defaults={"heard_at": timezone.now()})


def last_heartbeat() -> datetime | None:
    """Return when the last wake-up of the beat arrived, None for a platform that never had one."""
    return Heartbeat.objects.filter(name=BEAT).values_list("heard_at", flat=True).first()
