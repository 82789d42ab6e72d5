"""Background work of the runtime room; the verbs do it, the database says what is due."""

from celery import shared_task

from aiffinity.lib.wakeups import wake
from runtime.deliveries.drain import drain_due


@shared_task
def deliver_due_webhooks() -> None:
    """Send every delivery that is due, and wake another worker where a spell ends before the queue does."""
    if drain_due():
        wake(deliver_due_webhooks)
