"""Start and stop the embedded servers of a data folder, guarded against other processes that do the same."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from aiffinity.embedded.addresses import socket_dir
from aiffinity.embedded.postgres import PostgresServer
from aiffinity.embedded.server import EmbeddedServer, EmbeddedServerError
from aiffinity.embedded.valkey import ValkeyServer

LOCK_TIMEOUT_SECONDS = 120
POLL_SECONDS = 0.05


class EmbeddedServices:
    """PostgreSQL and Valkey under `data_dir`, at the addresses of `embedded_urls(data_dir)`.

    The first process that starts them owns them until it stops them or ends; others reuse them and leave
    them running. Servers that outlived a killed owner are taken over by the next one. With `durable=False`
    the servers trade safety for speed and end with their owner, for tests.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True, postgres: bool = True, valkey: bool = True) -> None:
        """Choose the servers; nothing is touched."""
        self.data_dir = data_dir.resolve()
        self._servers: list[EmbeddedServer] = []
        if postgres:
            self._servers.append(PostgresServer(self.data_dir, durable=durable, is_tied=not durable))
        if valkey:
            self._servers.append(ValkeyServer(self.data_dir, durable=durable, is_tied=not durable))
        self._owner_lock: int | None = None

    @property
    def is_owner(self) -> bool:
        """Return whether this object will stop the servers."""
        return self._owner_lock is not None

    def start(self) -> None:
        """Start what does not run yet and wait until it answers; raise EmbeddedServerError."""
        (self.data_dir / "log").mkdir(parents=True, exist_ok=True)
        with self._start_lock():
            self._make_socket_folder()
            if self._owner_lock is None:
                self._owner_lock = _try_lock(self._lock_path("owner"))
            try:
                for server in self._servers:
                    server.start()
            except BaseException:
                self._stop_owned()
                raise

    def stop(self) -> None:
        """Stop the servers if this object owns them; raise EmbeddedServerError when one does not end."""
        if self._owner_lock is not None:
            with self._start_lock():
                self._stop_owned()

    def __enter__(self) -> Self:
        """Start the servers."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the servers."""
        self.stop()

    def _stop_owned(self) -> None:
        if self._owner_lock is None:
            return
        try:
            with contextlib.ExitStack() as stops:
                for server in self._servers:
                    stops.callback(server.stop)
        finally:
            # The folder is made at each start; outside the data folder nobody else would ever remove it.
            with contextlib.suppress(OSError):
                socket_dir(self.data_dir).rmdir()
            os.close(self._owner_lock)
            self._owner_lock = None

    def _make_socket_folder(self) -> None:
        sockets = socket_dir(self.data_dir)
        sockets.mkdir(mode=0o700, exist_ok=True)
        # Below a folder that all users share, a stranger may have made it first.
        status = sockets.lstat()
        if sockets.is_symlink() or (status.st_uid != os.geteuid() and os.geteuid() != 0):
            raise EmbeddedServerError(f"{sockets} belongs to another user. Remove it, or set TMPDIR.")
        sockets.chmod(0o700)

    def _lock_path(self, name: str) -> Path:
        return self.data_dir / f"{name}.lock"

    @contextlib.contextmanager
    def _start_lock(self) -> Iterator[None]:
        deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
        while (lock := _try_lock(self._lock_path("start"))) is None:
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"Another process has held {self._lock_path('start')} for too long.")
            time.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            os.close(lock)


def _try_lock(path: Path) -> int | None:
    """Return a descriptor that holds the lock until it is closed, None where another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
