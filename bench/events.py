"""Accounts, workers and events that the benchmarks share."""

from collections.abc import Callable, Sequence
from typing import Any

from aiffinity.embedded.processes import wait_until
from bench.platforms import start

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # noqa: S105 - The sinks' and nobody else's.
EVENTS_A_TRANSACTION = 50
START_TIMEOUT_SECONDS = 60
WORKER = ("celery", "-A", "aiffinity", "worker", "--pool", "threads", "--concurrency", "8", "--without-gossip")


class BenchFailed(Exception):
    """Something did not happen in time."""


def start_worker(log: Any) -> Any:
    """Start a worker as production does."""
    return start(WORKER, stdout=log, stderr=log)


def await_true(condition: Callable[[], bool], what: str, timeout_seconds: float = START_TIMEOUT_SECONDS) -> None:
    """Poll until a condition holds; raises BenchFailed naming it."""
    if not wait_until(condition, timeout_seconds=timeout_seconds):
        raise BenchFailed(f"{what} within {timeout_seconds} s")


def make_account(email: str) -> Any:
    """Make a verified account."""
    from django.utils import timezone

    from providers.models import Account, User

    owner = User.objects.create_user(email)
    return Account.objects.create(owner=owner, company_name="Bench", email=email, email_verified_at=timezone.now())


def post(app_ids: list[str], count: int) -> list[str]:
    """Post events to the apps in turn, and return their ids."""
    from django.db import transaction

    from runtime.events import post_events

    event_ids: list[str] = []
    for first in range(0, count, EVENTS_A_TRANSACTION):
        batch = [
            (app_ids[number % len(app_ids)], "install.created", {"install_id": f"inst_{number}"})
            for number in range(first, min(first + EVENTS_A_TRANSACTION, count))
        ]
        with transaction.atomic():
            event_ids.extend(event.pk for event in post_events(batch) if event is not None)
    return event_ids


def pending(app_ids: Sequence[str] | None = None) -> int:
    """Return how many deliveries are not over, of all apps or of some."""
    from runtime.models import Delivery

    rows = Delivery.objects.filter(status="pending")
    return (rows if app_ids is None else rows.filter(endpoint__in=app_ids)).count()
