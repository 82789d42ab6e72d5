"""Run every benchmark, or those that are named: `python -m bench [NAME…]`."""

import subprocess
import sys

BENCHMARKS = ("schemas", "drift", "suite", "console", "deliveries", "health", "sign_in")


def main() -> int:
    """Run each in a process of its own, because each makes its own settings; return the worst status."""
    names = sys.argv[1:] or BENCHMARKS
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        sys.exit(f"There is no benchmark named {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}.")
    return max(subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode for name in names)


if __name__ == "__main__":
    sys.exit(main())
