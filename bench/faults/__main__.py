"""Run every fault, or those that are named: `python -m bench.faults [--short] [NAME…]`."""

import argparse
import json
import subprocess
import sys
from dataclasses import asdict

from bench.faults.runs import RUNS
from bench.faults.scale import SHORT, Scale
from bench.faults.world import world
from bench.figures import report


def main() -> int:
    """Run each in a process of its own, because each makes its own settings; return the worst status."""
    parser = argparse.ArgumentParser(prog="bench.faults", description="Break one thing at a time and judge it.")
    parser.add_argument("names", nargs="*", choices=[[], *RUNS], metavar="NAME", help=", ".join(RUNS))
    parser.add_argument("--short", action="store_true", help="the same in a fraction of the time")
    parser.add_argument("--json", action="store_true", help="the bars as JSON in the last line")
    parser.add_argument("--markdown", action="store_true", help="the bars as rows of docs/reliability.md")
    options = parser.parse_args()
    if len(options.names) == 1:
        [name] = options.names
        run = RUNS[name]
        with world() as here:
            bars = run(here, SHORT if options.short else Scale())
        if options.json:
            print(json.dumps([{**asdict(bar), "is_met": bar.is_met} for bar in bars]))
        elif options.markdown:
            print("\n".join(bar.as_row(name) for bar in bars))
        else:
            report(f"{name}: {run.__doc__}", bars)
        return 0 if all(bar.is_met for bar in bars) else 1
    shown = [word for word in ("--short", "--json", "--markdown") if word in sys.argv]
    command = [sys.executable, "-m", "bench.faults", *shown]
    # A run that was killed has a negative status.
    return max(abs(subprocess.run([*command, name], check=False).returncode) for name in options.names or RUNS)


if __name__ == "__main__":
    sys.exit(main())
