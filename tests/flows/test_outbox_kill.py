"""A worker that is killed with -9 loses no event, and sends nothing twice but what was on its way."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.deliveries.drain import MAX_UNRECORDED

ROOT = Path(__file__).resolve().parents[2]
EVENTS = 600
KILLS = 2


@pytest.mark.timeout(180)
def test_worker_killed_twice_loses_nothing():
    command = [sys.executable, "-m", "bench.outbox", "--json", "--events", str(EVENTS), "--kills", str(KILLS)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False)
    assert ended.returncode == 0, ended.stderr[-4000:]
    for run, kills in zip(json.loads(ended.stdout.splitlines()[-1]), (0, KILLS), strict=True):
        assert run["events"] == EVENTS
        assert run["lost"] == 0
        assert run["bad_signatures"] == 0
        assert run["changed_bodies"] == 0
        assert run["kills"] == kills
        assert run["duplicates"] <= kills * MAX_UNRECORDED
