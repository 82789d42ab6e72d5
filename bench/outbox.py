"""The outbox under kill -9: real processes, a sink that checks every id, byte and signature.

`python -m bench.outbox` starts a platform's database and broker in a folder of its own, a real worker and a
real beat, posts events, kills the worker meanwhile and starts it again, and prints what arrived. The first
run has no kills and shows how fast one worker delivers.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.request import Request, urlopen

from aiffinity.embedded.processes import wait_until
from bench.platforms import end, platform, start

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # noqa: S105 - The sink's and nobody else's.
APPS = 20
APPS_AN_ACCOUNT = 10
EVENTS_A_TRANSACTION = 50
TIMEOUT_MS = 1000
SINK_DELAY_MS = 30
START_TIMEOUT_SECONDS = 60
DRAIN_TIMEOUT_SECONDS = 60
WORKER = ("celery", "-A", "aiffinity", "worker", "--pool", "threads", "--concurrency", "8", "--without-gossip")


@dataclass(frozen=True)
class Figures:
    """What one run brought; `seconds_after_last_kill` is None without kills."""

    events: int
    kills: int
    lost: int
    duplicates: int
    bad_signatures: int
    changed_bodies: int
    seconds: float
    seconds_after_last_kill: float | None
    deliveries_per_second: float


class BenchFailed(Exception):
    """Something did not happen in time."""


class Sink:
    """The sink's process."""

    def __init__(self) -> None:
        environment = {**os.environ, "SINK_SECRET": SECRET}
        self.process = start(("bench.outbox_sink",), environment=environment, stdout=subprocess.PIPE)
        assert self.process.stdout is not None  # noqa: S101 - A pipe was asked for.
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def ask(self, path: str, method: str = "GET") -> Any:
        """Return the sink's answer."""
        with urlopen(Request(self.url + path, method=method), timeout=10) as answer:
            return json.load(answer)

    def count(self) -> int:
        """Return how many different events arrived since the sink started."""
        return int(self.ask("/count")["events"])


def start_worker(log: Any) -> Any:
    """Start a worker as production does."""
    return start(WORKER, stdout=log, stderr=log)


def await_true(condition: Any, what: str, timeout_seconds: float = START_TIMEOUT_SECONDS) -> None:
    """Poll until a condition holds; raises BenchFailed naming it."""
    if not wait_until(condition, timeout_seconds=timeout_seconds):
        raise BenchFailed(f"{what} within {timeout_seconds} s")


def make_apps(sink: Sink) -> list[str]:
    """Register apps whose events go to the sink, and return their ids."""
    from runtime.models import WebhookEndpoint

    app_ids: list[str] = []
    while len(app_ids) < APPS:
        account = make_account(f"bench{len(app_ids)}@example.com")
        app_ids.extend(make_app(account, sink) for _ in range(APPS_AN_ACCOUNT))
    WebhookEndpoint.objects.update(timeout_ms=TIMEOUT_MS)
    return app_ids


def make_account(email: str) -> Any:
    """Make a verified account."""
    from django.utils import timezone

    from providers.models import Account, User

    owner = User.objects.create_user(email)
    return Account.objects.create(owner=owner, company_name="Bench", email=email, email_verified_at=timezone.now())


def make_app(account: Any, sink: Sink) -> str:
    """Register an app whose events go to the sink, signed with its secret; return its id."""
    from runtime.registration import register_runtime_app
    from runtime.signing_secrets import set_signing_secret

    fields = {
        "name": "Bench",
        "description": "Measures.",
        "runtime_url": sink.url,
        "webhook_url": f"{sink.url}/webhooks",
    }
    runtime_app = register_runtime_app(account, actor="bench", fields=fields).runtime_app
    set_signing_secret(runtime_app, actor="bench", value=SECRET)
    return str(runtime_app.pk)


def post(app_ids: list[str], count: int) -> list[str]:
    """Post events to the apps in turn, and return their ids."""
    from django.db import transaction

    from runtime.events import post_events

    event_ids: list[str] = []
    for first in range(0, count, EVENTS_A_TRANSACTION):
        batch = [
            (app_ids[number % len(app_ids)], "install.created", {"install_id": f"inst_{number}"})
            for number in range(first, min(first + EVENTS_A_TRANSACTION, count))
        ]
        with transaction.atomic():
            event_ids.extend(event.pk for event in post_events(batch) if event is not None)
    return event_ids


def pending(app_ids: Sequence[str] | None = None) -> int:
    """Return how many deliveries are not over, of all apps or of some."""
    from runtime.models import Delivery

    rows = Delivery.objects.filter(status="pending")
    return (rows if app_ids is None else rows.filter(endpoint__in=app_ids)).count()


def run_once(app_ids: list[str], sink: Sink, log: Any, worker: Any, *, events: int, kills: int) -> Any:
    """Post events, kill and restart the worker meanwhile, and wait until all is delivered.

    Returns the figures and the worker that runs now.
    """
    before = sink.ask("/report")
    known = sink.count()
    began_at = time.monotonic()
    event_ids = post(app_ids, events)
    last_kill_at = None
    for kill in range(kills):
        threshold = known + events * (kill + 1) // (kills + 2)
        await_true(lambda threshold=threshold: sink.count() >= threshold, f"{threshold} events arrived")
        end(worker)
        last_kill_at = time.monotonic()
        worker = start_worker(log)
    await_true(lambda: pending() == 0, "The queue was empty", DRAIN_TIMEOUT_SECONDS)
    ended_at = time.monotonic()
    after = sink.ask("/report")
    received = after["received"] - before["received"]
    arrived = len(set(event_ids) & set(after["event_ids"]))
    seconds = ended_at - began_at
    figures = Figures(
        events=len(event_ids),
        kills=kills,
        lost=events - arrived,
        duplicates=received - arrived,
        bad_signatures=after["bad_signatures"],
        changed_bodies=after["changed_bodies"],
        seconds=round(seconds, 2),
        seconds_after_last_kill=None if last_kill_at is None else round(ended_at - last_kill_at, 2),
        deliveries_per_second=round(received / seconds, 1),
    )
    return figures, worker


def measure(*, events: int, kills: int) -> list[Figures]:
    """Run once without kills and once with them."""
    with platform() as data_dir, (data_dir / "worker.log").open("ab") as log:
        sink = Sink()
        schedule = str(data_dir / "beat")
        beat = start(
            ("celery", "-A", "aiffinity", "beat", "--schedule", schedule, "--pidfile="),
            stdout=log,
            stderr=log,
        )
        worker = start_worker(log)
        try:
            app_ids = make_apps(sink)
            post(app_ids, len(app_ids))
            await_true(lambda: pending() == 0, "The worker delivered its first events")
            steady, worker = run_once(app_ids, sink, log, worker, events=events, kills=0)
            sink.ask(f"/delay/{SINK_DELAY_MS}", method="POST")
            killed, worker = run_once(app_ids, sink, log, worker, events=events, kills=kills)
        except BenchFailed:
            sys.stderr.write((data_dir / "worker.log").read_text()[-4000:])
            raise
        finally:
            for process in (worker, beat, sink.process):
                end(process)
    return [steady, killed]


def print_table(runs: list[Figures]) -> None:
    """Print one line a figure and one column a run."""
    rows = [asdict(run) for run in runs]
    for name in rows[0]:
        values = "".join(f"{'-' if row[name] is None else row[name]!s:>12}" for row in rows)
        print(f"  {name.replace('_', ' '):<26}{values}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or with --json the figures; the status is 1 when something was lost or changed."""
    parser = argparse.ArgumentParser(prog="bench.outbox", description=__doc__)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    runs = measure(events=options.events, kills=options.kills)
    if options.json:
        print(json.dumps([asdict(run) for run in runs]))
    else:
        print(f"Outbox: {options.events} events for {APPS} apps, one worker; then the same with kill -9")
        print_table(runs)
    is_good = not any(run.lost or run.bad_signatures or run.changed_bodies for run in runs)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
