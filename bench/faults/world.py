"""A whole platform in processes of its own, each of which a run may kill, freeze and start again."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from aiffinity.embedded.postgres import PostgresServer
from aiffinity.embedded.valkey import ValkeyServer
from bench.events import SECRET, WORKER, await_true, make_account
from bench.platforms import end, platform, start

WEB_PROCESSES = 2
WEB_THREADS = 32
APPS_AN_ACCOUNT = 10


class World:
    """The processes of one platform, which run once it is made; the methods break them."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.log = (data_dir / "processes.log").open("ab")
        self.postgres = PostgresServer(data_dir, durable=True, is_tied=False)
        self.valkey = ValkeyServer(data_dir, durable=True, is_tied=False)
        self.beats: list[Any] = []
        self.workers: list[Any] = []
        self.port = free_port()
        sink_environment = {**os.environ, "SINK_SECRET": SECRET}
        self.sink_process = start(("bench.faults.sink",), environment=sink_environment, stdout=subprocess.PIPE)
        self.sink_url = f"http://127.0.0.1:{int(self.sink_process.stdout.readline())}"
        self.web = self._start_web()
        self.start_beat()
        self.start_worker()
        await_true(self._is_ready, "The web process answered")

    def start_worker(self) -> None:
        """Start one more worker, as the Procfile does."""
        self.workers.append(start(WORKER, stdout=self.log, stderr=self.log))

    def kill_worker(self) -> None:
        """End the oldest worker with kill -9 and start another."""
        end(self.workers.pop(0))
        self.start_worker()

    def kill_web(self) -> float:
        """End the web server and its processes with kill -9 and start them again; returns when they were dead."""
        end(self.web)
        ended_at = time.monotonic()
        self.web = self._start_web()
        await_true(self._is_ready, "The web process answered")
        return ended_at

    def start_beat(self) -> None:
        """Start one more beat."""
        schedule = str(self.data_dir / f"beat{len(self.beats)}")
        command = ("celery", "-A", "aiffinity", "beat", "--schedule", schedule, "--pidfile=")
        self.beats.append(start(command, stdout=self.log, stderr=self.log))

    def stop_beats(self) -> None:
        """End every beat with kill -9."""
        while self.beats:
            end(self.beats.pop())

    def wipe_redis(self) -> None:
        """Kill Redis with kill -9 and lose all that it knew."""
        pid = self.valkey.running_pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        await_true(self.valkey.has_ended, "Redis ended")
        shutil.rmtree(self.valkey.folder)

    @contextlib.contextmanager
    def frozen_redis(self) -> Iterator[None]:
        """Stop Redis with SIGSTOP: its connections stand open and nothing answers."""
        pid = self.valkey.running_pid()
        assert pid is not None  # noqa: S101 - It was started before.
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def memory_megabytes(self) -> float:
        """Return the resident memory of the first worker."""
        status = Path(f"/proc/{self.workers[0].pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def report(self) -> dict[str, Any]:
        """Return what the sink received."""
        with urlopen(f"{self.sink_url}/report", timeout=60) as answer:
            seen: dict[str, Any] = json.load(answer)
        return seen

    def bring_up(self) -> None:
        """Let the endpoints that are down answer 200 from now on."""
        with urlopen(Request(f"{self.sink_url}/up", method="POST"), timeout=10):
            pass

    def make_apps(self, count: int, *, behaviour: str = "good", timeout_ms: int = 5000) -> list[str]:
        """Register apps whose webhooks go to an endpoint of that behaviour, and return their ids."""
        from providers.models import Account
        from runtime.models import WebhookEndpoint
        from runtime.registration import register_runtime_app
        from runtime.signing_secrets import set_signing_secret

        app_ids: list[str] = []
        for number in range(count):
            if number % APPS_AN_ACCOUNT == 0:
                account = make_account(f"{behaviour}{number}@example.com")
                Account.objects.filter(pk=account.pk).update(plan_tier="enterprise")
            fields = {
                "name": f"{behaviour} {number}",
                "description": "Measures.",
                "runtime_url": self.sink_url,
                "webhook_url": f"{self.sink_url}/webhooks/{behaviour}",
            }
            runtime_app = register_runtime_app(account, actor="bench", fields=fields).runtime_app
            set_signing_secret(runtime_app, actor="bench", value=SECRET)
            app_ids.append(str(runtime_app.pk))
        WebhookEndpoint.objects.filter(pk__in=app_ids).update(timeout_ms=timeout_ms)
        return app_ids

    def close(self) -> None:
        """End every process."""
        self.stop_beats()
        for process in (*self.workers, self.web, self.sink_process):
            process.send_signal(signal.SIGCONT)
            end(process)
        self.log.close()

    def _start_web(self) -> Any:
        command = ("granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port))
        options = (
            "--workers",
            str(WEB_PROCESSES),
            "--blocking-threads",
            str(WEB_THREADS),
            "aiffinity.wsgi:application",
        )
        return start((*command, *options), stdout=self.log, stderr=self.log)

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def world() -> Iterator[World]:
    """Run a platform with everything; its processes end with the block, and their logs are shown if it failed."""
    with platform() as data_dir:
        made = World(data_dir)
        try:
            yield made
        except BaseException:
            made.log.flush()
            print((data_dir / "processes.log").read_text(errors="replace")[-4000:])
            raise
        finally:
            made.close()
            # The platform stops its servers in good order, so both have to run.
            made.valkey.start()
            made.postgres.start()
