"""Health checks by real processes: a worker that starts late, and one that is stopped in the middle."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection
from django.utils import timezone

from aiffinity.embedded.processes import wait_until
from runtime.health.loop import run_due_checks
from runtime.models import HealthCheck, RuntimeApp

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def app(register, fake_provider):
    """An app behind the fake provider, due for ten minutes."""
    registered = register(runtime_url=fake_provider.runtime_url, health_check_url=fake_provider.health_check_url)
    RuntimeApp.objects.update(next_health_check_at=timezone.now() - timedelta(minutes=10))
    return registered


def start(*command, **options):
    """Start a process of the platform on this test's database."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    path = f"{parts.path.rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    environment = {**os.environ, "DATABASE_URL": urlunsplit(parts._replace(path=path))}
    return subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, text=True, **options)


def test_a_worker_that_starts_catches_up_without_a_beat(app, fake_provider):
    worker = start("-m", "celery", "--quiet", "-A", "aiffinity", "worker", "--pool", "threads", "--concurrency", "2")
    try:
        assert wait_until(lambda: app.runtime_app.health_status == "healthy", timeout_seconds=30)
    finally:
        worker.terminate()
        worker.wait(20)
    assert len(fake_provider.requests_to("health")) == 1


@pytest.mark.parametrize("is_one", [False, True], ids=["loop", "one app"])
def test_a_process_that_was_stopped_blames_no_provider(app, fake_provider, is_one):
    fake_provider.hang, fake_provider.faulty_routes = True, {"health"}
    arguments = ("--app", app.app_id) if is_one else ()
    process = start("manage.py", "run_health_checks", *arguments, stdout=subprocess.PIPE)
    try:
        fake_provider.wait_for(lambda request: request.route == "health", timeout=30)
        process.send_signal(signal.SIGSTOP)
        # Longer than the time limit of a look: what comes of it is judged by a clock that went on.
        time.sleep(6.5)
        process.send_signal(signal.SIGCONT)
        told, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert told.startswith(f"{app.app_id}: " if is_one else "0 apps checked, 0 of them failed.")
    assert HealthCheck.objects.count() == 0
    assert app.runtime_app.consecutive_failures == 0
    fake_provider.hang = False
    RuntimeApp.objects.update(next_health_check_at=timezone.now())
    assert run_due_checks().checked == 1
    assert app.runtime_app.health_status == "healthy"
