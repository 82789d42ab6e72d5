"""Run the platform's processes side by side, restart the ones that end, and leave none behind."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from aiffinity.embedded import processes

FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 30.0
STABLE_AFTER_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 10.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Child:
    """One supervised command: its process while it runs, and when it may start (again)."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    backoff_seconds: float = FIRST_BACKOFF_SECONDS

    def start(self, environment: Mapping[str, str] | None, cwd: Path | None) -> None:
        """Start the command in a session of its own; it dies with the supervisor."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603  The commands are the platform's own lists.
            processes.tied(self.command, death_signal=signal.SIGKILL),
            stdin=subprocess.DEVNULL,
            env=environment,
            cwd=cwd,
            start_new_session=True,
        )

    def has_ended(self) -> bool:
        """Return whether the process has ended since it was started."""
        return self.process is not None and self.process.poll() is not None

    def plan_restart(self) -> float:
        """Return the seconds until the next start, doubled each time until it has run for a minute."""
        now = time.monotonic()
        if now - self.started_at >= STABLE_AFTER_SECONDS:
            self.backoff_seconds = FIRST_BACKOFF_SECONDS
        delay_seconds = self.backoff_seconds
        self.start_at = now + delay_seconds
        self.backoff_seconds = min(2 * delay_seconds, LONGEST_BACKOFF_SECONDS)
        self.process = None
        return delay_seconds

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process if it runs."""
        if self.process is not None:
            self.process.send_signal(number)

    def kill_group(self) -> None:
        """Kill the process with all that it started and collect it."""
        if self.process is None:
            return
        # Often nothing is left of the group; macOS says that as a refused permission.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Supervisor:
    """Runs named commands until SIGINT, SIGTERM or SIGHUP; use it from the main thread.

    The children's output passes through. A child that ends is started again after 1 s, 2 s … 30 s. At the
    end each gets SIGTERM, and after 10 s SIGKILL. On Linux none survives a killed supervisor.
    """

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Take the commands by name, and their environment and folder if not the supervisor's own."""
        self._children = [Child(name, command) for name, command in commands.items()]
        self._environment = environment
        self._cwd = cwd
        self._is_stopping = False

    def run(self) -> None:
        """Start all children and look after them until a stop signal arrives; return when all have ended."""
        with self._wakeups() as wakeup:
            try:
                while not self._is_stopping:
                    self._start_due()
                    self._note_ended()
                    select.select([wakeup], [], [], self._seconds_to_next_start())
                    _drain(wakeup)
            finally:
                self._stop_all()

    def request_stop(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Make `run` stop the children and return; also the handler of the stop signals."""
        self._is_stopping = True

    def _start_due(self) -> None:
        for child in self._children:
            if child.process is None and time.monotonic() >= child.start_at:
                child.start(self._environment, self._cwd)

    def _note_ended(self) -> None:
        for child in self._children:
            if child.process is not None and child.has_ended():
                status = child.process.returncode
                child.kill_group()
                delay_seconds = child.plan_restart()
                _say(f"{child.name} ended with status {status}; it starts again in {delay_seconds:.0f} s")

    def _seconds_to_next_start(self) -> float | None:
        waiting = [child.start_at for child in self._children if child.process is None]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else None

    def _stop_all(self) -> None:
        for child in self._children:
            child.send(signal.SIGTERM)
        running = [child for child in self._children if child.process is not None]
        processes.wait_until(lambda: all(child.has_ended() for child in running), timeout_seconds=STOP_TIMEOUT_SECONDS)
        for child in running:
            if not child.has_ended():
                _say(f"{child.name} did not end within {STOP_TIMEOUT_SECONDS:.0f} s and is killed")
            child.kill_group()

    @contextmanager
    def _wakeups(self) -> Iterator[int]:
        """Yield a descriptor that becomes readable at a stop signal and when a child ends."""
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        handlers = {number: signal.signal(number, self.request_stop) for number in STOP_SIGNALS}
        handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, _wake_only)
        previous = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(previous)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            os.close(reader)
            os.close(writer)


def _wake_only(number: int, frame: FrameType | None) -> None:
    """Let the signal reach the wakeup descriptor, which needs a handler that is not the default one."""


def _drain(descriptor: int) -> None:
    try:
        os.read(descriptor, 4096)
    except BlockingIOError:
        # The wait ended by its time, not by a signal.
        return


def _say(text: str) -> None:
    sys.stderr.write(f"supervisor: {text}\n")
    sys.stderr.flush()
