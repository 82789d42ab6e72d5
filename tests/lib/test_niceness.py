"""Workers leave the processor to those that people wait for."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AUTOGROUP = Path("/proc/self/autogroup")
SAY = """
import os
from pathlib import Path
from celery.signals import worker_init
import aiffinity.celery
worker_init.send(None)
weighed = Path("/proc/self/autogroup")
print(os.nice(0))
print(weighed.read_text() if weighed.exists() else "")
"""


def said(*, has_own_session):
    """The niceness of a started worker's process, and what the kernel shows of its session's weight.

    The kernel shows nothing where it doesn't weigh sessions, or not this one (sched(7), "The autogroup feature").
    """
    environment = {**os.environ, "WORKER_NICENESS": "7"}
    done = subprocess.run(
        [sys.executable, "-c", SAY],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        start_new_session=has_own_session,
    )
    niceness, _, weight = done.stdout.partition("\n")
    return niceness, weight.strip()


def test_a_worker_yields_with_its_session():
    niceness, weight = said(has_own_session=True)
    assert niceness == "7"
    assert weight == "" or weight.endswith(" nice 7")


def test_a_worker_leaves_the_session_of_others_alone():
    before = AUTOGROUP.read_text().strip() if AUTOGROUP.exists() else ""
    assert said(has_own_session=False) == ("7", before)
