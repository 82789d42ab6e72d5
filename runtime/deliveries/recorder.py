"""Recording beside sending: one batch at a time goes to the database while the drain's thread speaks HTTP."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from django.db import InterfaceError, OperationalError, connection

from runtime.deliveries.outcomes import Result
from runtime.deliveries.recording import record_results

LOST_DATABASE = (OperationalError, InterfaceError)


class Recorder:
    """Writes batches on a thread and a connection of its own; inside a caller's transaction on the caller's.

    `batch` is the one that is being written, empty where none is.
    """

    def __init__(self) -> None:
        self.batch: list[Result] = []
        self._is_inline = connection.in_atomic_block
        self._thread: ThreadPoolExecutor | None = None
        self._writing: Future[None] = Future()

    def start(self, batch: list[Result]) -> None:
        """Begin to write a batch, the one before being done."""
        self.batch = batch
        self._writing = self._run(lambda: _write(batch))

    def take_done(self) -> list[Result] | None:
        """Return the batch that was written since the last look, None where none was.

        Raises OperationalError or InterfaceError where the database was away; the batch stands in `batch` still.
        """
        if not self.batch or not self._writing.done():
            return None
        self._writing.result()
        batch, self.batch = self.batch, []
        return batch

    def wait(self) -> None:
        """Wait for the batch that is being written, however that ends."""
        if self.batch:
            wait([self._writing])

    def give_back(self) -> list[Result]:
        """Return the batch that could not be written."""
        batch, self.batch = self.batch, []
        return batch

    def close(self) -> None:
        """Wait for the last batch and let thread and connection go."""
        if self._thread is not None:
            # Looked up there: each thread has a connection of its own.
            self._run(lambda: connection.close()).result()  # noqa: PLW0108
            self._thread.shutdown(wait=True)

    def _run(self, call: Callable[[], None]) -> Future[None]:
        if self._is_inline:
            return _done(call)
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="delivery-recorder")
        return self._thread.submit(call)


def _write(batch: list[Result]) -> None:
    try:
        record_results(batch)
    except LOST_DATABASE:
        connection.close()
        raise


def _done(call: Callable[[], None]) -> Future[None]:
    future: Future[None] = Future()
    try:
        call()
    except LOST_DATABASE as error:
        future.set_exception(error)
    else:
        future.set_result(None)
    return future
