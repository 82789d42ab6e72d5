"""One run of schemathesis as one kind of caller, and what it came to."""

import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from bench.fuzz.callers import closed_to
from bench.fuzz.world import World
from examples.demo.processes import ROOT, platform_environment

# Two checks make no sense here. positive_data_acceptance: the document can't say all that a body must keep to, such
# as the fields of each mode or a host that exists. object_level_authorization wants two callers in one run;
# tests/flows/test_strangers.py calls every operation as somebody else.
LEFT_OUT = "positive_data_acceptance,object_level_authorization"
LONGEST_ANSWER_SECONDS = 60
# Where a caller is refused at the door, what else a call says makes no difference.
FEWER_WHERE_CLOSED = 20
LONGEST_LINE = 2000
SUCCEEDED = "succeeded.json"
PROBLEMS = re.compile(r"^=+ (?:ERRORS|FAILURES) =+\n.*?(?=^=+ (?:FAILURES|SUMMARY) =+$)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Run:
    """What schemathesis reported of one caller: its JSON, the operations that answered 2xx, and its text."""

    report: dict[str, Any]
    succeeded: frozenset[str]
    text: str
    seconds: float

    @property
    def total(self) -> int:
        """Return how many operations the document has."""
        return int((self.report["operations"] or {"total": 0})["total"])

    @property
    def operations(self) -> int:
        """Return how many operations were called."""
        return int((self.report["operations"] or {"tested": 0})["tested"])

    @property
    def calls(self) -> int:
        """Return how many calls were judged."""
        return int(self.report["test_cases"]["generated"])

    @property
    def server_errors(self) -> int:
        """Return in how many ways the platform failed."""
        return sum(int(group["count"]) for group in self.report["failures"] if group["type"].endswith("ServerError"))

    @property
    def violations(self) -> int:
        """Return in how many ways the platform broke its contract otherwise."""
        return sum(int(group["count"]) for group in self.report["failures"]) - self.server_errors

    @property
    def unjudged(self) -> int:
        """Return how many calls got no answer, and what else kept schemathesis from judging."""
        return sum(int(group["count"]) for group in self.report["errors"]) + (not self.report["complete"])

    def failures(self) -> str:
        """Return what schemathesis says of each failure and error, with the curl command that shows it."""
        lines = "".join(PROBLEMS.findall(self.text)).splitlines()
        return "".join(f"{line[:LONGEST_LINE]}\n" for line in lines)


def fuzz(here: World, caller: str, *, phases: str, examples: int, seed: int) -> Run:
    """Let schemathesis call every operation as that caller."""
    folder = here.data_dir / f"fuzz-{caller}"
    folder.mkdir()
    (folder / "schemathesis.toml").write_text(_settings(here, caller, examples))
    token = here.token(caller)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{here.base_url}/v1/openapi.json"),
        *(("--header", f"Authorization: Bearer {token}") if token else ()),
        *("--phases", phases, "--seed", str(seed), "--checks", "all", "--exclude-checks", LEFT_OUT),
        *("--continue-on-failure", "--no-shrink", "--generation-database", "none", "--suppress-health-check", "all"),
        *("--request-timeout", str(LONGEST_ANSWER_SECONDS), "--warnings", "off", "--no-color"),
        *("--report", "json", "--report-json-path", "report.json"),
    ]
    began_at = time.monotonic()
    done = subprocess.run(
        command,
        cwd=folder,
        env=_environment(here, seed),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if not (folder / "report.json").exists():
        sys.exit(done.stdout)
    report = json.loads((folder / "report.json").read_text())
    succeeded = json.loads((folder / SUCCEEDED).read_text())
    return Run(report, frozenset(succeeded), done.stdout, time.monotonic() - began_at)


def _settings(here: World, caller: str, examples: int) -> str:
    closed = closed_to(caller, here.document())
    few = max(1, examples // FEWER_WHERE_CLOSED)
    refused = (
        f"[[operations]]\ninclude-operation-id = {json.dumps(closed)}\n[operations.generation]\nmax-examples = {few}\n"
    )
    return f"[generation]\nmax-examples = {examples}\n" + (refused if closed else "")


def _environment(here: World, seed: int) -> dict[str, str]:
    return {
        **platform_environment(here.data_dir),
        "DJANGO_SETTINGS_MODULE": "aiffinity.settings",
        "SCHEMATHESIS_HOOKS": "bench.fuzz.hooks",
        "PYTHONPATH": str(ROOT),
        "FUZZ_BODIES": json.dumps(here.bodies()),
        "FUZZ_SEED": str(seed),
        "FUZZ_SUCCEEDED": SUCCEEDED,
    }
