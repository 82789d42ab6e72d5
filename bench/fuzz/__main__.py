"""Fuzz every operation as each kind of caller: `python -m bench.fuzz [--examples N] [--caller NAME] …`."""

import argparse
import random
import signal
import sys

from bench.figures import Bar, report
from bench.fuzz.callers import CALLERS
from bench.fuzz.runs import Run, fuzz
from bench.fuzz.world import world

PHASES = "examples,coverage,fuzzing,stateful"


def main() -> int:
    """Fuzz as each caller in turn; list every failure and return 1 where a bar is missed."""
    options = _options()
    # The platform's processes end with this one, however it ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"seed {options.seed}", flush=True)
    status = 0
    succeeded: set[str] = set()
    with world() as here:
        for caller in options.caller or CALLERS:
            run = fuzz(here, caller, phases=options.phases, examples=options.examples, seed=options.seed)
            status |= report(f"as {caller}, {run.seconds:.0f} s", bars(run))
            print(run.failures(), end="", flush=True)
            succeeded |= run.succeeded
        print(f"{len(succeeded)} operations answered 2xx at least once")
        if status:
            print((here.data_dir / "platform.log").read_text(errors="replace")[-4000:])
    return status


def bars(run: Run) -> list[Bar]:
    """Return the figures of one caller's run beside their bars."""
    return [
        Bar("operations called", run.operations, run.total, "", is_floor=True),
        Bar("calls judged", run.calls, run.operations, "", is_floor=True),
        Bar("server errors", run.server_errors, 0, ""),
        Bar("contract violations", run.violations, 0, ""),
        Bar("not judged", run.unjudged, 0, ""),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.fuzz", description="Call every operation with what is made up.")
    parser.add_argument("--examples", type=int, default=200, help="made-up calls of each operation (200)")
    parser.add_argument("--phases", default=PHASES, help=PHASES)
    parser.add_argument("--caller", action="append", choices=CALLERS, help="one kind of caller instead of all")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="the seed of an earlier run")  # noqa: S311
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
