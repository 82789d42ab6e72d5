"""Background work of the runtime room; the verbs do it, the database says what is due."""

from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down

from aiffinity.lib.wakeups import wake
from runtime.deliveries.drain import drain_due, stop_draining


@shared_task
def deliver_due_webhooks() -> None:
    """Send every delivery that is due, and wake another worker where a spell ends before the queue does."""
    if drain_due():
        wake(deliver_due_webhooks)


@worker_shutting_down.connect
def claim_no_more(**_: Any) -> None:
    """Let a worker that is told to stop finish what is in flight, and leave the rest to others."""
    stop_draining()
