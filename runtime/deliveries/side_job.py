"""One call at a time beside the drain's thread: it asks the database while that one speaks HTTP."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

from django.db import InterfaceError, OperationalError, connection

LOST_DATABASE = (OperationalError, InterfaceError)

T = TypeVar("T")


class SideJob(Generic[T]):
    """Runs a call on a thread and a connection of its own; inside a caller's transaction on the caller's.

    `call` is the one that was started and whose end was not taken yet, None where there is none.
    """

    def __init__(self, name: str) -> None:
        self._thread = None if connection.in_atomic_block else ThreadPoolExecutor(1, thread_name_prefix=name)
        self.call: Future[T] | None = None

    def start(self, call: Callable[[], T]) -> None:
        """Begin a call, the end of the one before being taken."""
        self.call = self._thread.submit(_ask_database, call) if self._thread else _done(call)

    def take_ended(self) -> Future[T] | None:
        """Return the call if it has ended, however it did; None while it is under way or where there is none."""
        if self.call is None or not self.call.done():
            return None
        ended, self.call = self.call, None
        return ended

    def close(self) -> None:
        """Wait for the call that is under way, however it ends, and let thread and connection go."""
        if self._thread is not None:
            # Looked up there: each thread has a connection of its own.
            self._thread.submit(lambda: connection.close()).result()  # noqa: PLW0108
            self._thread.shutdown(wait=True)


def wait_for_one(jobs: Iterable[SideJob[Any]]) -> None:
    """Wait until one of the calls that are under way has ended, however it did."""
    wait([call for job in jobs if (call := job.call) is not None], return_when=FIRST_COMPLETED)


def _ask_database(call: Callable[[], T]) -> T:
    try:
        return call()
    except LOST_DATABASE:
        connection.close()
        raise


def _done(call: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()
    try:
        future.set_result(call())
    except LOST_DATABASE as error:
        future.set_exception(error)
    return future
