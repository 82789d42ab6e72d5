"""Running one call many times at once."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection


def in_parallel(count: int, call: Callable[[], Any]) -> list[Any]:
    """Run a call in so many threads, started together; return what they returned, in order of their end."""
    barrier, results = threading.Barrier(count), []

    def run() -> None:
        barrier.wait()
        try:
            results.append(call())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
