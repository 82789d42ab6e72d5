"""Deliveries a second of one worker process, beside one Celery task a delivery and a bare loop of the same client.

`python -m bench.deliveries` starts a platform's database and broker in a folder of its own, a sink, and one worker at
a time. Ours and the tasks do the same work: read the delivery, sign it, send it, record the
attempt. The bare loops send the same bodies with our HTTP client and do nothing else. `--sink checking` has every
signature checked where it arrives, as a receiver would, `--sink plain` answers at once. Then an idle worker shows how
soon an event arrives, and a web server how much slower it answers while 100,000 deliveries drain.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.request import Request, urlopen

from bench.events import SECRET, WORKER, await_true, make_account, pending, post
from bench.faults.world import free_port
from bench.figures import Bar, p50, p95, report
from bench.platforms import end, platform, start

SINKS = {"checking": "bench.checking_sink", "plain": "bench.plain_sink"}
APPS = 20
APPS_AN_ACCOUNT = 10
ROUNDS = 3
TASK_EVENTS = 1500
BARE_REQUESTS = 10_000
IDLE_EVENTS = 60
API_CALLS = 600
GIVE_UP_SECONDS = 600.0
TASK_WORKER = (*WORKER, "--include", "bench.one_task_each", "--queues", "tasks")


class Bench:
    """The processes of the bench."""

    def __init__(self, log: Any, sink: str) -> None:
        self.log = log
        environment = {**os.environ, "SINK_SECRET": SECRET}
        self.sink = start((SINKS[sink],), environment=environment, stdout=subprocess.PIPE)
        self.url = f"http://127.0.0.1:{int(self.sink.stdout.readline())}"
        self.count_url, self.webhook_url = f"{self.url}/count", f"{self.url}/webhooks"
        self.app_ids = self._make_apps()

    def received(self) -> int:
        """Return how many requests the sink answered."""
        with urlopen(self.count_url, timeout=10) as answer:
            return int(json.load(answer)["events"])

    def ours(self, events: int) -> float:
        """Return the deliveries a second of one worker that finds them all waiting."""
        worker = start(WORKER, stdout=self.log, stderr=self.log)
        try:
            post(self.app_ids, APPS)
            wake()
            await_true(is_drained, "The worker was warm")
            worker.send_signal(signal.SIGSTOP)
            post(self.app_ids, events)
            began_at = time.monotonic()
            worker.send_signal(signal.SIGCONT)
            await_true(is_drained, "The queue was empty", GIVE_UP_SECONDS)
            return events / (time.monotonic() - began_at)
        finally:
            end(worker)

    def one_task_each(self, events: int) -> float:
        """Return the deliveries a second of one worker with a task for each."""
        from bench.one_task_each import deliver
        from runtime.models import Delivery

        post(self.app_ids, events)
        for delivery_id in Delivery.objects.filter(status="pending").values_list("pk", flat=True):
            deliver.apply_async((delivery_id,), queue="tasks")
        worker = start(TASK_WORKER, stdout=self.log, stderr=self.log)
        try:
            await_true(lambda: pending() < events, "The first task ran")
            before, began_at = pending(), time.monotonic()
            await_true(is_drained, "The tasks were done", GIVE_UP_SECONDS)
            return before / (time.monotonic() - began_at)
        finally:
            end(worker)

    def bare(self, *, in_flight: int) -> float:
        """Return the requests a second of our client alone, on one thread."""
        from aiffinity.lib.crypto import Secret
        from aiffinity.lib.outbound import OutboundRequest, client
        from runtime.signatures import sign_hex, standard_webhooks_headers

        body = b'{"id":"evt_0","type":"install.created","data":{"install_id":"inst_0"}}'
        secret = Secret(SECRET)
        headers = (
            ("Content-Type", "application/json"),
            ("X-Aiffinity-Signature", sign_hex(secret, body)),
            *standard_webhooks_headers([secret], "evt_0", int(time.time()), body),
        )
        requests = (OutboundRequest("POST", self.webhook_url, headers, body) for _ in range(BARE_REQUESTS))
        began_at = time.monotonic()
        if in_flight == 1:
            for request in requests:
                client().request(request)
        else:
            for _ in client().send_many(requests, max_in_flight=in_flight):
                pass
        return BARE_REQUESTS / (time.monotonic() - began_at)

    def idle_delays(self) -> list[float]:
        """Return the seconds from the commit of each of some events to its arrival, the worker idle before it."""
        worker = start(WORKER, stdout=self.log, stderr=self.log)
        try:
            post(self.app_ids, APPS)
            wake()
            await_true(is_drained, "The worker was warm")
            return [self._delay_of_one() for _ in range(IDLE_EVENTS)]
        finally:
            end(worker)

    def api_while_draining(self, events: int) -> tuple[list[float], list[float], float]:
        """Return how long API calls take before and during a drain, in seconds, and the drain's deliveries a second."""
        port = free_port()
        web = start(
            ("granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
             "--blocking-threads", "32", "aiffinity.wsgi:application"),
            stdout=self.log,
            stderr=self.log,
        )  # fmt: skip
        worker = start(WORKER, stdout=self.log, stderr=self.log)
        url = f"http://127.0.0.1:{port}/v1/providers/runtime/apps/{self.app_ids[0]}"
        request = Request(url, headers={"Authorization": f"Bearer {self._token()}"})
        try:
            await_true(lambda: _answers(f"http://127.0.0.1:{port}/readyz"), "The web process answered")
            before = _call(request, lambda taken: len(taken) >= API_CALLS)
            worker.send_signal(signal.SIGSTOP)
            post(self.app_ids, events)
            began_at = time.monotonic()
            worker.send_signal(signal.SIGCONT)
            wake()
            during = _call(request, lambda _: is_drained())
            await_true(is_drained, "The queue was empty")
            return before, during, events / (time.monotonic() - began_at)
        finally:
            for process in (web, worker):
                process.send_signal(signal.SIGCONT)
                end(process)

    def _delay_of_one(self) -> float:
        time.sleep(0.05)
        known = self.received()
        post(self.app_ids[:1], 1)
        committed_at = time.monotonic()
        await_true(lambda: self.received() > known, "The event arrived")
        return time.monotonic() - committed_at

    def _token(self) -> str:
        from providers.identity.local import sign_id_token
        from providers.models import Account, App

        account = App.objects.select_related("account__owner").get(pk=self.app_ids[0]).account
        Account.objects.filter(pk=account.pk).update(plan_tier="enterprise")
        return sign_id_token(account.owner)

    def _make_apps(self) -> list[str]:
        from runtime.models import WebhookEndpoint
        from runtime.registration import register_runtime_app
        from runtime.signing_secrets import set_signing_secret

        app_ids = []
        for number in range(APPS):
            if number % APPS_AN_ACCOUNT == 0:
                account = make_account(f"deliveries{number}@example.com")
            fields = {"name": "Bench", "description": "Measures.", "runtime_url": self.url}
            fields["webhook_url"] = self.webhook_url
            runtime_app = register_runtime_app(account, actor="bench", fields=fields).runtime_app
            set_signing_secret(runtime_app, actor="bench", value=SECRET)
            app_ids.append(str(runtime_app.pk))
        WebhookEndpoint.objects.update(**unlimited())
        return app_ids


def unlimited() -> dict[str, int]:
    """Return the columns that let an endpoint get as much as it takes."""
    from runtime.serializers.webhooks import MAX_RATE_LIMIT

    return {"rate_limit_per_second": MAX_RATE_LIMIT}


def is_drained() -> bool:
    """Say whether nothing is pending; a look at one index entry, so that looking doesn't cost what is measured."""
    from runtime.models import Delivery

    return not Delivery.objects.filter(status="pending").exists()


def wake() -> None:
    """Wake the worker for what waits."""
    from aiffinity.lib import wakeups

    wakeups.wake("runtime.tasks.deliver_due_webhooks")


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _call(request: Request, is_over: Callable[[list[float]], bool]) -> list[float]:
    """Call again and again, from two threads, until the condition on the times taken holds."""
    taken: list[float] = []
    stopped = threading.Event()

    def call_on() -> None:
        while not stopped.is_set():
            began_at = time.perf_counter()
            with urlopen(request, timeout=30) as answer:
                answer.read()
            taken.append(time.perf_counter() - began_at)
            time.sleep(0.02)

    callers = [threading.Thread(target=call_on) for _ in range(2)]
    for caller in callers:
        caller.start()
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while not is_over(taken) and time.monotonic() < deadline:
        time.sleep(0.1)
    stopped.set()
    for caller in callers:
        caller.join()
    return taken


def measure(*, events: int, draining: int, sink: str) -> list[Bar]:
    """Measure everything in one run, ours and the ways beside it in turn."""
    with platform() as data_dir, (data_dir / "processes.log").open("ab") as log:
        bench = Bench(log, sink)
        try:
            pairs = [(bench.ours(events), bench.one_task_each(TASK_EVENTS)) for _ in range(ROUNDS)]
            ours, tasks = (statistics.median(each) for each in zip(*pairs, strict=True))
            sequential, many = bench.bare(in_flight=1), bench.bare(in_flight=96)
            idle = bench.idle_delays()
            before, during, drained = bench.api_while_draining(draining)
        except BaseException:
            print((data_dir / "processes.log").read_text(errors="replace")[-4000:])
            raise
        finally:
            end(bench.sink)
    return [
        Bar("ours, durable, signed, recorded", ours, 1, "/s", is_floor=True),
        Bar("one Celery task a delivery, the same work", tasks, 1, "/s", is_floor=True),
        Bar("ours over one task a delivery", ours / tasks, 10, "x", is_floor=True),
        Bar("our client alone, one after another", sequential, 1, "/s", is_floor=True),
        Bar("ours over that", ours / sequential, 0.6, "x", is_floor=True),
        Bar("our client alone, 96 in flight", many, 1, "/s", is_floor=True),
        Bar("ours over that (for information)", ours / many, 0, "x", is_floor=True),
        Bar("idle: commit to arrival, p50", p50(idle) * 1000, 200, "ms"),
        Bar("idle: commit to arrival, p95", p95(idle) * 1000, 1000, "ms"),
        Bar(f"drain of {draining}", drained, 1, "/s", is_floor=True),
        Bar("API p95 before", p95(before) * 1000, 1000, "ms"),
        Bar("API p95 while it drains", p95(during) * 1000, 2000, "ms"),
        Bar("API p95 over before", p95(during) / p95(before), 2, "x"),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the status is 1 when a bar was missed."""
    parser = argparse.ArgumentParser(prog="bench.deliveries", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--draining", type=int, default=100_000)
    parser.add_argument("--sink", choices=SINKS, default="checking")
    options = parser.parse_args(arguments)
    title = f"Deliveries: {options.events} events, {APPS} apps, one worker, {options.sink} sink, {os.cpu_count()} cores"
    return report(title, measure(events=options.events, draining=options.draining, sink=options.sink))


if __name__ == "__main__":
    sys.exit(main())
