"""Background work of the runtime room; the verbs do it, the database says what is due."""

from functools import partial
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down

from aiffinity.lib.wakeups import wake
from runtime.connections.rounds import refreshes, revocations
from runtime.deliveries.drain import drain_due, stop_draining
from runtime.deliveries.recovering import TASK as RECOVERIES_TASK
from runtime.deliveries.recovery_batches import carry_out_recoveries as carry_out
from runtime.health.claims import has_due_checks
from runtime.health.loop import TASK as HEALTH_TASK
from runtime.health.loop import run_due_checks, stop_checking


@shared_task
def deliver_due_webhooks() -> None:
    """Send every delivery that is due, and wake another worker where a spell ends before the queue does.

    Deliveries drive the health checks too, so that a beat that stands still stops neither.
    """
    drain_due(hand_on=partial(wake, "runtime.tasks.deliver_due_webhooks"))
    if has_due_checks():
        wake(HEALTH_TASK)


@shared_task
def carry_out_recoveries() -> None:
    """Make pending again what recoveries ask for, and wake another worker where a spell ends before they do."""
    if carry_out():
        wake(RECOVERIES_TASK)


@shared_task
def run_due_health_checks() -> None:
    """Check every app whose turn has come."""
    run_due_checks()


@shared_task
def refresh_connections() -> None:
    """Refresh the connections that are due, batch by batch."""
    refreshes.run()


@shared_task
def revoke_connections() -> None:
    """Revoke the connections that are due, batch by batch."""
    revocations.run()


@worker_ready.connect
def catch_up(**_: Any) -> None:
    """Let a worker that starts look for what is overdue, without waiting for the beat."""
    wake("runtime.tasks.deliver_due_webhooks")
    wake(HEALTH_TASK)
    wake(RECOVERIES_TASK)
    wake("runtime.tasks.refresh_connections")
    wake("runtime.tasks.revoke_connections")


@worker_shutting_down.connect
def claim_no_more(**_: Any) -> None:
    """Let a worker that is told to stop finish what is in flight, and leave the rest to others."""
    stop_draining()
    stop_checking()
    refreshes.stop()
    revocations.stop()
