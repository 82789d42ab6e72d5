"""Waking workers: a Celery message only says "look now"; the database knows what is due (spec 6 "outbox").

Tasks are woken by their names, as the beat schedule has them: a verb that wakes a task, and the task that calls
the verb, could not import one another.
"""

import atexit
import logging
import os
import threading
import time
from contextvars import Context, copy_context

from celery import Celery, current_app
from django.db import transaction
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PAUSE_AFTER_FAILURE_SECONDS = 5.0
FLUSH_SECONDS = 1.0
SPACING_SECONDS = 0.05

Wanted = dict[tuple[str, tuple[str, ...]], Context]


class Waker:
    """Sends wake-ups from a thread of its own, so that a broker that is away or frozen holds no caller up.

    Equal ones that wait are sent once. After a failure the work is left to the sweeps for a while.
    """

    def __init__(self, app: "Celery | None" = None) -> None:
        self._app = app or current_app
        self.forget()

    def forget(self) -> None:
        """Start without a thread, as a forked process does."""
        self._changed = threading.Condition()
        self._wanted: Wanted = {}
        self._is_sending = False
        self._retry_at = 0.0
        self._send_at = 0.0
        self._thread: threading.Thread | None = None

    def wake(self, task: str, *args: str) -> None:
        """Have one wake-up sent; never raises and never waits for the broker."""
        with self._changed:
            if time.monotonic() < self._retry_at:
                return
            self._wanted[task, args] = copy_context()
            if self._thread is None:
                self._thread = threading.Thread(target=self._send_all, name="wake-ups", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self, timeout_seconds: float = FLUSH_SECONDS) -> bool:
        """Wait until everything is sent or given up; return False where time runs out first."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._wanted and not self._is_sending, timeout_seconds)

    def _send_all(self) -> None:
        while True:
            with self._changed:
                self._is_sending = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._wanted)
                # A burst of transactions wakes the workers a few times, not once each.
                self._changed.wait_for(lambda: False, self._send_at - time.monotonic())
                wanted, self._wanted = self._wanted, {}
                self._is_sending = True
            is_broker_there = self._send(wanted)
            self._send_at = time.monotonic() + SPACING_SECONDS
            if not is_broker_there:
                with self._changed:
                    self._wanted.clear()
                    self._retry_at = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS

    def _send(self, wanted: Wanted) -> bool:
        """Send a batch in the contexts that asked for it; return False once the broker is away."""
        for (task, args), context in wanted.items():
            try:
                context.run(self._app.send_task, task, args=args, ignore_result=True, retry=False)
            except (KombuError, RedisError, OSError) as exc:
                logger.warning("no wake-up for %s: the broker is away (%s)", task, type(exc).__name__)
                return False
            except Exception:
                # The thread outlives whatever a transport raises: without it nobody would be woken any more.
                logger.exception("no wake-up for %s", task)
        return True


waker = Waker()
atexit.register(waker.flush)
os.register_at_fork(after_in_child=waker.forget)


def wake_on_commit(task: str, *args: str) -> None:
    """Wake a worker once the current transaction is committed; a sweep finds the work if that fails."""
    transaction.on_commit(lambda: wake(task, *args))


def wake(task: str, *args: str) -> None:
    """Send a wake-up without waiting for a broker that is away."""
    waker.wake(task, *args)
