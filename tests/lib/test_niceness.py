"""Workers leave the processor to those that people wait for."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAY = """
import os
from pathlib import Path
from celery.signals import worker_init
import aiffinity.celery
worker_init.send(None)
weighed = Path("/proc/self/autogroup")
print(os.nice(0), weighed.read_text().split()[-1] if weighed.exists() else os.nice(0))
"""


def said(*, has_own_session):
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
    return done.stdout.split()


def test_a_worker_yields_with_its_session():
    assert said(has_own_session=True) == ["7", "7"]


def test_a_worker_leaves_the_session_of_others_alone():
    before = Path("/proc/self/autogroup")
    weight = before.read_text().split()[-1] if before.exists() else "7"
    assert said(has_own_session=False) == ["7", weight]
