"""Start the platform and Acme Weather, tell the story, stop both; exit code 1 when a step fails."""

import sys
import tempfile
import time
from pathlib import Path

from examples.demo import connection_story, review_story, story
from examples.demo.http import Caller
from examples.demo.processes import DemoFailed, running_platform, running_provider

CHAPTERS = (
    ("Acme Weather, data_only: the platform lists it by itself", story.STEPS),
    ("Acme Umbrella, action_capable: a reviewer approves it at the console first", review_story.STEPS),
    ("Acme Stations, oauth2: a user connects their own account at Acme Weather", connection_story.STEPS),
)


def main() -> int:
    """Run every step and print its figure."""
    started_at = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="aiffinity-demo-") as folder:
        data_dir = Path(folder)
        try:
            with running_platform(data_dir) as base_url, running_provider() as provider_url:
                print(f"platform at {base_url}, Acme Weather at {provider_url}")
                count = tell(story.Story(Caller(base_url), Caller(provider_url), data_dir))
        except DemoFailed as exc:
            print(f"FAILED: {exc}", file=sys.stderr)
            return 1
    print(f"done: {count} steps in {time.monotonic() - started_at:.1f} s")
    return 0


def tell(told: story.Story) -> int:
    """Run the steps in order and return how many; raises DemoFailed at the first that fails."""
    number = 0
    for heading, steps in CHAPTERS:
        print(f"\n{heading}", flush=True)
        for title, step in steps:
            number += 1
            began_at = time.monotonic()
            try:
                figure = step(told)
            except (LookupError, TypeError, OSError, ValueError) as exc:
                raise DemoFailed(f"{title}: {type(exc).__name__}: {exc}") from exc
            took_ms = (time.monotonic() - began_at) * 1000
            print(f"{number:2} {title:26} {took_ms:6.0f} ms  {figure}", flush=True)
    print()
    return number


if __name__ == "__main__":
    sys.exit(main())
