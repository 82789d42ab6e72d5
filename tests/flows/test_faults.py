"""The fault runs of `make bench-faults` in short: one thing breaks, and every bar is met."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.faults.runs import RUNS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(200)
@pytest.mark.parametrize("name", RUNS)
def test_nothing_is_lost_when_one_thing_breaks(name: str) -> None:
    command = [sys.executable, "-m", "bench.faults", "--short", "--json", name]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=190, check=False)
    assert ended.returncode in (0, 1), ended.stdout[-4000:] + ended.stderr[-4000:]
    bars = json.loads(ended.stdout.splitlines()[-1])
    assert [bar for bar in bars if not bar["is_met"]] == []
