"""A cap on calls in flight per app, so that one hung provider can't take every thread (spec 4 "Gateway").

The count is kept in the process, because threads are what it protects: each process bounds its own.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from aiffinity.lib.errors import ServiceUnavailable

RETRY_AFTER_SECONDS = 1

_lock = threading.Lock()
_in_flight: Counter[str] = Counter()


@contextmanager
def seat(app_id: str) -> Iterator[None]:
    """Hold one of the app's seats; raises ServiceUnavailable (503, Retry-After) when all are taken."""
    with _lock:
        if _in_flight[app_id] >= settings.EXECUTE_MAX_IN_FLIGHT:
            message = "Too many calls to this provider are running; try again."
            raise ServiceUnavailable(message, retry_after_seconds=RETRY_AFTER_SECONDS)
        _in_flight[app_id] += 1
    try:
        yield
    finally:
        with _lock:
            _in_flight[app_id] -= 1
            if not _in_flight[app_id]:
                del _in_flight[app_id]
