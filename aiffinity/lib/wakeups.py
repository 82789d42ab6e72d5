"""Waking workers: a Celery message only says "look now"; the database knows what is due (spec 6 "outbox")."""

import logging
import time
from typing import Any

from celery import Task
from django.db import transaction
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PAUSE_AFTER_FAILURE_SECONDS = 5.0


class Waker:
    """Sends wake-ups; after a failure it leaves the work to the sweeps for a while, so that no request waits."""

    def __init__(self) -> None:
        self._retry_at = 0.0

    def wake(self, task: "Task[Any, Any]", *args: str) -> None:
        """Send one wake-up; never raises for a broker that is away."""
        if time.monotonic() < self._retry_at:
            return
        try:
            task.apply_async(args=args, ignore_result=True, retry=False)
        except (KombuError, RedisError, OSError) as exc:
            self._retry_at = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
            logger.warning("no wake-up for %s: the broker is away (%s)", task.name, type(exc).__name__)


waker = Waker()


def wake_on_commit(task: "Task[Any, Any]") -> None:
    """Wake a worker once the current transaction is committed; a sweep finds the work if that fails."""
    transaction.on_commit(lambda: wake(task))


def wake(task: "Task[Any, Any]", *args: str) -> None:
    """Send a wake-up without waiting for a broker that is away."""
    waker.wake(task, *args)
