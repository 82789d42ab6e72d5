"""Health checks of 10,000 apps on one worker: how late they are, counted where they arrive.

`python -m bench.health` starts a platform's database and broker in a folder of its own, one real worker and a real
beat, and a server that notes when each app is asked. Lateness is the time between an app's turn, which its id gives,
and its arrival there. The bar: 10,000 apps at 60 s on one worker, p99 < 5 s.
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
from urllib.request import urlopen

from bench.events import BenchFailed, make_account, start_worker
from bench.platforms import end, platform, start

APPS_AN_ACCOUNT = 1000
INTERVAL_SECONDS = 60.0
BAR_SECONDS = 5.0


@dataclass(frozen=True)
class Figures:
    """What one run brought; times are seconds, `per_app` counts the arrivals of an app in the time measured."""

    apps: int
    hanging_percent: int
    seconds: float
    checks: int
    checks_per_second: float
    lateness_p50: float
    lateness_p99: float
    lateness_max: float
    fewest_per_app: int
    most_per_app: int
    worker_cpu_percent: float
    worker_megabytes: float


def make_apps(count: int, port: int) -> None:
    """Write runtime apps whose health is asked at the sink; each is due at its turn after now."""
    from django.utils import timezone

    from providers.models import App
    from runtime.health.schedule import next_turn
    from runtime.models import RuntimeApp

    for first in range(0, count, APPS_AN_ACCOUNT):
        numbers = range(first, min(first + APPS_AN_ACCOUNT, count))
        account = make_account(f"health{first}@example.com")
        apps = App.objects.bulk_create(
            App(account=account, client_id=f"ci_{number}", name="Bench") for number in numbers
        )
        now = timezone.now()
        RuntimeApp.objects.bulk_create(
            RuntimeApp(
                app=app,
                runtime_url=f"http://127.0.0.1:{port}",
                health_check_url=f"http://127.0.0.1:{port}/health/{number}/{app.pk}",
                sealed_signing_secret="",
                next_health_check_at=next_turn(app.pk, now),
            )
            for number, app in zip(numbers, apps, strict=True)
        )


def latenesses(asked_at: dict[str, list[float]], since: float, until: float) -> list[float]:
    """Return the seconds by which each arrival between two moments came after its app's turn."""
    from runtime.health.schedule import phase_of

    return sorted(
        (moment - phase_of(app_id).total_seconds()) % INTERVAL_SECONDS
        for app_id, moments in asked_at.items()
        for moment in moments
        if since <= moment < until
    )


def used_cpu_seconds(process: Any) -> float:
    """Return the processor time of a process and all its threads so far."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def used_megabytes(process: Any) -> float:
    """Return the resident memory of a process."""
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(*, apps: int, seconds: float, hanging_percent: int) -> Figures:
    """Let one worker check the apps for a warm-up minute and then for the time to measure."""
    with platform() as data_dir, (data_dir / "worker.log").open("ab") as log:
        sink = start(("bench.health_sink", str(hanging_percent)), stdout=subprocess.PIPE)
        port = int(sink.stdout.readline())
        make_apps(apps, port)
        schedule = str(data_dir / "beat")
        beat = start(
            ("celery", "-A", "aiffinity", "beat", "--schedule", schedule, "--pidfile="), stdout=log, stderr=log
        )
        worker = start_worker(log)
        try:
            time.sleep(INTERVAL_SECONDS + 15)
            since, cpu_before = time.time(), used_cpu_seconds(worker)
            time.sleep(seconds)
            until, cpu_after = time.time(), used_cpu_seconds(worker)
            megabytes = used_megabytes(worker)
            with urlopen(f"http://127.0.0.1:{port}/report", timeout=60) as answer:
                asked_at = json.load(answer)
            if not asked_at:
                sys.stderr.write((data_dir / "worker.log").read_text()[-4000:])
                raise BenchFailed("No app was checked.")
        finally:
            for process in (worker, beat, sink):
                end(process)
        late = latenesses(asked_at, since, until)
        counts = [sum(since <= moment < until for moment in asked_at.get(app, ())) for app in asked_at]
    return Figures(
        apps=len(asked_at),
        hanging_percent=hanging_percent,
        seconds=round(until - since, 1),
        checks=len(late),
        checks_per_second=round(len(late) / (until - since), 1),
        lateness_p50=round(late[len(late) // 2], 2),
        lateness_p99=round(late[len(late) * 99 // 100], 2),
        lateness_max=round(late[-1], 2),
        fewest_per_app=min(counts),
        most_per_app=max(counts),
        worker_cpu_percent=round(100 * (cpu_after - cpu_before) / (until - since), 1),
        worker_megabytes=round(megabytes, 1),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; the status is 1 where an app was left out or the bar is missed."""
    parser = argparse.ArgumentParser(prog="bench.health", description=__doc__)
    parser.add_argument("--apps", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--hanging-percent", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    figures = measure(apps=options.apps, seconds=options.seconds, hanging_percent=options.hanging_percent)
    if options.json:
        print(json.dumps(asdict(figures)))
    else:
        print(f"Health: {options.apps} apps every 60 s, one worker, {options.hanging_percent} % of them hang")
        for name, value in asdict(figures).items():
            print(f"  {name.replace('_', ' '):<26}{value:>12}")
    is_good = figures.apps == options.apps and figures.lateness_p99 < BAR_SECONDS and figures.fewest_per_app > 0
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
