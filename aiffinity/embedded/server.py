"""What the embedded servers have in common: being found again, started, waited for and reported on."""

import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from aiffinity.embedded import processes
from aiffinity.embedded.addresses import socket_dir

READY_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 60


class EmbeddedServerError(RuntimeError):
    """An embedded server could not be found, started or stopped; the message says what to do."""


class EmbeddedServer(ABC):
    """One server of one data folder.

    `durable=False` gives up safety at a crash of the machine for speed (tests). `is_tied` lets the server end
    with the process that starts it, even at kill -9 (Linux); start such a server from the main thread.
    """

    name: ClassVar[str]
    url_variable: ClassVar[str]
    pid_file_name: ClassVar[str]

    def __init__(self, data_dir: Path, *, durable: bool, is_tied: bool) -> None:
        """Work out the paths; nothing is touched."""
        label = self.name.lower()
        self.folder = data_dir.resolve() / label
        self.log_path = data_dir.resolve() / "log" / f"{label}.log"
        self.pid_path = self.folder / self.pid_file_name
        self.socket_dir = socket_dir(data_dir)
        self.durable = durable
        self.is_tied = is_tied
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def start(self) -> None:
        """Make sure that the server runs and answers, whoever started it; raise EmbeddedServerError."""

    @abstractmethod
    def stop(self) -> None:
        """End the server in good order; nothing happens when it does not run."""

    @abstractmethod
    def answers(self) -> bool:
        """Return whether the server takes connections."""

    def running_pid(self) -> int | None:
        """Return the process id of this data folder's server, or None when it does not run."""
        if self._process is not None:
            self._process.poll()
        pid = processes.read_pid(self.pid_path)
        return pid if processes.runs_from(pid, self.folder) else None

    def has_ended(self) -> bool:
        """Return whether no process of this server is left."""
        return self.running_pid() is None

    def _is_reusable(self) -> bool:
        """Wait until a server that already runs answers; False where none runs, or it was about to stop."""
        if not processes.wait_until(lambda: self.has_ended() or self.answers(), timeout_seconds=READY_TIMEOUT_SECONDS):
            pid = self.running_pid()
            raise self._error(f"runs as process {pid} but does not answer in {self.socket_dir}; end it (kill {pid})")
        return self.answers()

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        settled = processes.wait_until(
            lambda: process.poll() is not None or self.answers(), timeout_seconds=READY_TIMEOUT_SECONDS
        )
        if process.returncode is not None:
            raise self._error(f"ended with status {process.returncode} while it started")
        if not settled:
            process.terminate()
            raise self._error(f"did not answer within {READY_TIMEOUT_SECONDS} s")

    def _await_end(self, pid: int | None) -> None:
        # A server removes its pid file a moment before its process ends.
        def is_gone() -> bool:
            return self.has_ended() and (pid is None or not processes.is_alive(pid))

        if not processes.wait_until(is_gone, timeout_seconds=STOP_TIMEOUT_SECONDS):
            raise self._error(f"did not stop within {STOP_TIMEOUT_SECONDS} s")

    def _error(self, what: str) -> EmbeddedServerError:
        return EmbeddedServerError(
            f"The embedded {self.name} {what}. Its log, {self.log_path}, ends with:\n"
            f"{processes.log_tail(self.log_path)}\n"
            f"Put that right and start again, or set {self.url_variable} to a server of your own."
        )
