"""Running one call many times at once."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction


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


@contextmanager
def held_up_by_this_transaction(call: Callable[[], Any]) -> Iterator[Future[Any]]:
    """Begin a transaction for the block, and commit it when the call, which begins after the block, waits for it."""

    def run() -> Any:
        try:
            return call()
        finally:
            connection.close()

    outcome: Future[Any] = Future()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            yield outcome
            running = pool.submit(run)
            _wait_for_a_waiter()
        outcome.set_result(running.result())


def _wait_for_a_waiter() -> None:
    deadline, is_awaited = time.monotonic() + 20, False
    with connection.cursor() as cursor:
        while not is_awaited:
            assert time.monotonic() < deadline, "nobody waits for a lock of this connection"
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
            )
            [is_awaited] = cursor.fetchone()
