"""The supervisor restarts what dies, stops all, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aiffinity.embedded import processes
from aiffinity.embedded.supervisor import FIRST_BACKOFF_SECONDS, STABLE_AFTER_SECONDS, Child

PROJECT_DIR = Path(__file__).resolve().parents[2]
SUPERVISE = """
import json, sys
from aiffinity.embedded import supervisor
supervisor.STOP_TIMEOUT_SECONDS = 1.0
commands = json.loads(sys.argv[1])
supervisor.Supervisor(commands).run()
print("stopped", flush=True)
"""
# Writes its process id as a new line of a file, then waits; "stubborn" ignores SIGTERM.
CHILD = """
import os, signal, sys, time
if sys.argv[2] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if sys.argv[2] == "parent":
    import subprocess
    subprocess.Popen([sys.executable, *sys.orig_argv[1:-1], "polite"])
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\n")
time.sleep(60)
"""

Supervise = Callable[..., "subprocess.Popen[str]"]


def pids_in(path: Path) -> list[int]:
    """Return the process ids that children wrote."""
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def wait_for_pids(path: Path, count: int) -> list[int]:
    """Return the process ids once `count` children have started."""
    assert processes.wait_until(lambda: len(pids_in(path)) >= count, timeout_seconds=10)
    return pids_in(path)


def all_gone(pids: list[int]) -> bool:
    """Return whether all of the processes end within seconds."""
    return processes.wait_until(lambda: not any(processes.is_alive(pid) for pid in pids), timeout_seconds=5)


@pytest.fixture
def supervise(tmp_path: Path, spawned: list[int]) -> Iterator[Supervise]:
    """Run a supervisor over children of the given behaviours; each writes to a file of its own name."""
    supervisors: list[subprocess.Popen[str]] = []

    def start(**behaviours: str) -> "subprocess.Popen[str]":
        commands = {
            name: [sys.executable, "-c", CHILD, str(tmp_path / name), behaviour]
            for name, behaviour in behaviours.items()
        }
        process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, json.dumps(commands)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=PROJECT_DIR,
        )
        supervisors.append(process)
        return process

    yield start
    for process in supervisors:
        process.kill()
        process.communicate()
    for path in tmp_path.iterdir():
        spawned.extend(pids_in(path))


def test_a_killed_child_is_started_again_and_the_others_stay(supervise: Supervise, tmp_path: Path) -> None:
    process = supervise(one="polite", two="polite")
    first = wait_for_pids(tmp_path / "one", 1)[0]
    wait_for_pids(tmp_path / "two", 1)
    os.kill(first, signal.SIGKILL)
    second = wait_for_pids(tmp_path / "one", 2)[1]
    assert processes.is_alive(second)
    assert len(pids_in(tmp_path / "two")) == 1
    process.terminate()
    output, errors = process.communicate(timeout=10)
    assert output == "stopped\n"
    assert errors.startswith("supervisor: one ended with status -9; it starts again in ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_signal_ends_all_children(supervise: Supervise, tmp_path: Path, number: signal.Signals) -> None:
    process = supervise(one="polite", two="polite")
    pids = wait_for_pids(tmp_path / "one", 1) + wait_for_pids(tmp_path / "two", 1)
    process.send_signal(number)
    output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "stopped\n", "")
    assert [processes.is_alive(pid) for pid in pids] == [False, False]


def test_a_child_that_ignores_sigterm_is_killed_with_its_own_children(supervise: Supervise, tmp_path: Path) -> None:
    process = supervise(stubborn="stubborn", parent="parent")
    pids = wait_for_pids(tmp_path / "stubborn", 1) + wait_for_pids(tmp_path / "parent", 2)
    process.terminate()
    output, errors = process.communicate(timeout=10)
    assert output == "stopped\n"
    assert errors == "supervisor: stubborn did not end within 1 s and is killed\n"
    assert all_gone(pids)


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux ties a process to its parent.")
def test_no_child_survives_a_killed_supervisor(supervise: Supervise, tmp_path: Path) -> None:
    process = supervise(one="polite", two="stubborn")
    pids = wait_for_pids(tmp_path / "one", 1) + wait_for_pids(tmp_path / "two", 1)
    process.kill()
    assert all_gone(pids)


def test_the_wait_before_a_restart_doubles_up_to_half_a_minute() -> None:
    child = Child("one", ["true"])
    child.started_at = 1e12
    assert [child.plan_restart() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_a_child_that_ran_for_a_minute_starts_again_soon() -> None:
    child = Child("one", ["true"], backoff_seconds=30)
    child.started_at = -STABLE_AFTER_SECONDS
    assert child.plan_restart() == FIRST_BACKOFF_SECONDS
