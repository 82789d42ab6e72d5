"""The demo is a test: the whole story over HTTP, with real processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from examples.demo.story import STEPS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(180)
def test_the_demo_tells_the_whole_story():
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    result = subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    told = [line[3:].split("  ")[0] for line in result.stdout.splitlines()[1:-1]]
    assert told == [title for title, _ in STEPS]
    assert "verified" in result.stdout
    assert "503 CAPABILITY_SUSPENDED" in result.stdout
