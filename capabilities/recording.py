"""Buffered recording, so that writing never slows a call (spec 4 "Gateway", spec 6 "invocations").

Records of state and history calls wait in the process for at most a second and are written in batches by one
thread, which starts with the first record and writes what is left when the process ends. A kill -9 may lose that
second. While the database is away the records wait; where more come than may wait, they are written by the
call itself.
"""

import logging
import os
import signal
import threading
import time
from multiprocessing.util import Finalize
from types import FrameType

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from capabilities.records import Record, write_records

logger = logging.getLogger(__name__)

MAX_DELAY_SECONDS = 0.5
MAX_BATCH = 500
MAX_WAITING = 20_000
RETRY_SECONDS = 1.0


class Recorder:
    """Takes records from any thread and writes them in batches."""

    def __init__(self, *, max_waiting: int = MAX_WAITING) -> None:
        self._max_waiting = max_waiting
        self._arrived = threading.Condition()
        self._writing = threading.Lock()
        self._waiting: list[Record] = []
        self._thread: threading.Thread | None = None

    def add(self, record: Record) -> None:
        """Take a record; inside somebody's transaction it is written at once and shares its fate."""
        if connection.in_atomic_block:
            write_records([record])
            return
        with self._arrived:
            has_room = len(self._waiting) < self._max_waiting
            if has_room:
                self._waiting.append(record)
                self._ensure_thread()
                self._arrived.notify()
        if not has_room:
            write_records([record])

    def flush(self) -> None:
        """Write everything that waits, in the calling thread; raises DatabaseError where the database is away."""
        with self._writing:
            while batch := self._take():
                self._write(batch)

    def _take(self) -> list[Record]:
        with self._arrived:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            return batch

    def _write(self, batch: list[Record]) -> None:
        try:
            write_records(batch)
        except (OperationalError, InterfaceError):
            with self._arrived:
                self._waiting = batch + self._waiting
            raise
        except DatabaseError:
            logger.exception("a batch of %s records was refused; writing them one by one", len(batch))
            self._write_singly(batch)

    def _write_singly(self, batch: list[Record]) -> None:
        """Keep one refused record from taking its whole batch along."""
        for record in batch:
            try:
                write_records([record])
            except DatabaseError:
                logger.exception("the record of invocation %s was refused", record.invocation.pk)

    def _ensure_thread(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="invocation-recorder", daemon=True)
            self._thread.start()
            Finalize(None, self._write_rest, exitpriority=100)

    def _run(self) -> None:
        while True:
            with self._arrived:
                self._arrived.wait_for(lambda: self._waiting)
            time.sleep(MAX_DELAY_SECONDS)
            self._flush_or_wait()

    def _flush_or_wait(self) -> None:
        try:
            self.flush()
        except DatabaseError:
            logger.warning("invocation records wait: the database is away")
            time.sleep(RETRY_SECONDS)
        finally:
            connection.close()

    def _write_rest(self) -> None:
        try:
            self.flush()
        except DatabaseError:
            logger.exception("invocation records were lost at the end of the process: the database is away")


recorder = Recorder()


def end_in_order_on_sigterm() -> None:
    """Turn SIGTERM into an ordinary exit where nothing else does; servers and workers have handlers of their own.

    uvicorn hands the signal back when it has shut down, and the default would then end the process at once.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _exit)


def _exit(signal_number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signal_number)


def _start_afresh() -> None:
    """Give a forked process a recorder without its parent's thread, locks and records."""
    recorder.__init__()  # type: ignore[misc]


os.register_at_fork(after_in_child=_start_afresh)
