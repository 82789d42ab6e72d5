"""Waking workers: a Celery message only says "look now"; the database knows what is due (spec 6 "outbox")."""

import logging
from typing import Any

from celery import Task
from django.db import transaction
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def wake_on_commit(task: "Task[Any, Any]") -> None:
    """Wake a worker once the current transaction is committed; a sweep finds the work if that fails."""
    transaction.on_commit(lambda: wake(task))


def wake(task: "Task[Any, Any]", *args: str) -> None:
    """Send a wake-up without waiting for a broker that is away."""
    try:
        task.apply_async(args=args, ignore_result=True, retry=False)
    except (KombuError, RedisError, OSError) as exc:
        logger.warning("no wake-up for %s: the broker is away (%s)", task.name, type(exc).__name__)
