"""Start processes that outlive a Ctrl-C or end with their starter, and recognise them again."""

import os
import pwd
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

TIED_WRAPPER = Path(__file__).with_name("tied.py")
LOG_LINES_SHOWN = 15
POLL_SECONDS = 0.02


def tied(command: Sequence[str], *, death_signal: int) -> list[str]:
    """Return `command` wrapped so that it gets `death_signal` when its starter ends (Linux only)."""
    own_pid = str(os.getpid())
    return [sys.executable, "-I", "-S", str(TIED_WRAPPER), str(int(death_signal)), own_pid, *command]


def spawn(command: Sequence[str], *, log_path: Path, cwd: Path, user: str | None = None) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, so that the terminal's Ctrl-C does not reach it."""
    environment = {**os.environ, "LC_ALL": "C"}
    with log_path.open("ab") as log:
        return subprocess.Popen(  # noqa: S603  The commands are our own lists.
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=environment,
            start_new_session=True,
            user=user,
            group=None if user is None else _group_of(user),
            extra_groups=None if user is None else [],
        )


def wait_until(condition: Callable[[], bool], *, timeout_seconds: float) -> bool:
    """Poll `condition` until it holds or the time is over; return whether it held."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def read_pid(path: Path) -> int | None:
    """Return the process id in a file's first line; None where the file or a number is missing."""
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def runs_from(pid: int | None, folder: Path) -> bool:
    """Return whether process `pid` is alive and works in `folder`; a reused id does not match."""
    if pid is None or not is_alive(pid):
        return False
    proc = Path("/proc") / str(pid)
    try:
        return proc.joinpath("cwd").resolve(strict=True) == folder.resolve()
    except OSError:
        return str(folder) in _command_line(pid)


def processes_in(folder: Path) -> list[int]:
    """Return the processes that work in `folder` (Linux; none where /proc is not readable)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").resolve(strict=True) == folder:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def is_alive(pid: int) -> bool:
    """Return whether a process exists; one that has ended and only awaits its parent is not alive."""
    if not is_pid_taken(pid):
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return True
    return state not in {"Z", "X"}


def is_pid_taken(pid: int) -> bool:
    """Return whether a process id is in use, be it by a process that only awaits its parent."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def log_tail(path: Path) -> str:
    """Return the last lines of a server's log, indented, for an error message."""
    try:
        lines = path.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    except OSError:
        lines = []
    return "\n".join(f"    {line}" for line in lines) or "    (the log is empty)"


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        pass
    listing = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    try:
        return subprocess.run(listing, capture_output=True, text=True, check=False).stdout  # noqa: S603
    except OSError:
        return ""


def _group_of(user: str) -> int:
    return pwd.getpwnam(user).pw_gid
