"""Run the whole platform on one machine: servers, web, worker and beat under one supervisor."""

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from aiffinity.embedded.launcher import EmbeddedServices
from aiffinity.embedded.server import EmbeddedServerError
from aiffinity.embedded.supervisor import STOP_SIGNALS, Supervisor

READY_TIMEOUT_SECONDS = 60
READY_POLL_SECONDS = 0.05
LOOPBACK_NAMES = {"127.0.0.1", "localhost", "::1"}
ANY_ADDRESS = "0.0.0.0"  # noqa: S104  Compared with, never bound.


class Command(BaseCommand):
    """Start what is not given (PostgreSQL, Valkey), migrate, and supervise web, worker and beat."""

    help = "Runs the whole platform on one port; embedded servers where DATABASE_URL or REDIS_URL is unset."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--port` and `--host`, whose defaults come from PORT and HOST."""
        parser.add_argument("--port", type=int, default=os.environ.get("PORT", "8000"))
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))

    def handle(self, *args: Any, port: int, host: str, **options: Any) -> None:
        """Run until Ctrl-C or SIGTERM; exit with 1 when the port is taken or a server does not start."""
        began_at = time.monotonic()
        check_port_is_free(host, port)
        for number in STOP_SIGNALS:
            signal.signal(number, interrupt)
        services = EmbeddedServices(
            settings.DATA_DIR,
            postgres=not os.environ.get("DATABASE_URL"),
            valkey=not os.environ.get("REDIS_URL"),
        )
        try:
            with services:
                self.prepare_database()
                self.supervise(host, port, began_at)
        except EmbeddedServerError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("Stopped before the platform was ready.")

    def prepare_database(self) -> None:
        """Migrate, make the first administrator, and leave no connection open behind the supervisor."""
        call_command("migrate", interactive=False, verbosity=0, skip_checks=False)
        call_command("createfirstadmin", stdout=self.stdout)
        for connection in connections.all(initialized_only=True):
            connection.close()
            # Only PostgreSQL's backend with a pool has one to close.
            close_pool = getattr(connection, "close_pool", None)
            if close_pool is not None:
                close_pool()

    def supervise(self, host: str, port: int, began_at: float) -> None:
        """Run the processes until a stop signal, and announce when the web process answers."""
        supervisor = Supervisor(
            process_commands(host, port), environment=child_environment(host, port), cwd=settings.BASE_DIR
        )
        announcer = threading.Thread(target=self.announce_ready, args=(host, port, began_at), daemon=True)
        announcer.start()
        supervisor.run()
        # A second Ctrl-C must not cut the servers' orderly end short.
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def announce_ready(self, host: str, port: int, began_at: float) -> None:
        """Wait for GET /healthz and print the addresses."""
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        while not is_healthy(host, port):
            if time.monotonic() > deadline:
                self.stderr.write(f"/healthz does not answer after {READY_TIMEOUT_SECONDS} s; see above.")
                return
            time.sleep(READY_POLL_SECONDS)
        origin = f"http://{visible_host(host)}:{port}"
        mail_folder = getattr(settings, "EMAIL_FILE_PATH", None) or "sent by EMAIL_URL"
        self.stdout.write(
            f"\n  API       {origin}/v1\n"
            f"  API docs  {origin}/docs\n"
            f"  Admin     {origin}/admin/\n"
            f"  Mails     {mail_folder}\n"
            f"  Data      {settings.DATA_DIR}\n\n"
            f"ready in {time.monotonic() - began_at:.1f} s  (Ctrl-C stops the platform)"
        )
        self.stdout.flush()


def process_commands(host: str, port: int) -> dict[str, list[str]]:
    """Return the command of each supervised process by name."""
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "--quiet", "-A", "aiffinity"]
    schedule = Path(settings.DATA_DIR) / "celerybeat-schedule"
    web = [*python, "uvicorn", "aiffinity.asgi:application", "--host", host, "--port", str(port)]
    return {
        "web": [*web, "--timeout-graceful-shutdown", "3", "--no-access-log", "--log-level", "warning"],
        "worker": [*celery, "worker", "--pool", "threads", "--concurrency", "8", "--without-gossip"],
        # An empty pid file name: a file left by a killed platform would keep beat from starting.
        "beat": [*celery, "beat", "--schedule", str(schedule), "--pidfile="],
    }


def child_environment(host: str, port: int) -> dict[str, str]:
    """Return the environment of the processes, with links that lead to this port on a local platform."""
    environment = dict(os.environ)
    if urlsplit(settings.BASE_URL).hostname in LOOPBACK_NAMES:
        environment["AIFFINITY_BASE_URL"] = f"http://{visible_host(host)}:{port}"
    return environment


def check_port_is_free(host: str, port: int) -> None:
    """Raise CommandError where `host`:`port` cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise CommandError(
                f"Port {port} on {host} cannot be used ({error}). "
                "Stop what runs there or choose another one: PORT=8001 make run"
            ) from error


def is_healthy(host: str, port: int) -> bool:
    """Return whether GET /healthz answers 200."""
    name = visible_host(host)
    request = f"GET /healthz HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\n\r\n".encode()
    try:
        with socket.create_connection((name, port), timeout=5) as connection:
            connection.sendall(request)
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


def visible_host(host: str) -> str:
    """Return the address to connect to for a listening address."""
    return "127.0.0.1" if host == ANY_ADDRESS else host


def interrupt(number: int, frame: FrameType | None) -> None:
    """Turn a stop signal that arrives before the supervisor runs into an orderly end."""
    raise KeyboardInterrupt
