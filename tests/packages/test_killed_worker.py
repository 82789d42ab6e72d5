"""A worker that is killed in the middle of a validation: another one ends the run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection
from django.utils import timezone

from packages.conformance import runner
from packages.models import RunState, ValidationRun, Version
from tests.fakes import FakeProvider
from tests.packages.conftest import Maker

WORKER = """
import sys, django
django.setup()
from packages.conformance import runner
runner.run_validation(sys.argv[1])
"""


def environment() -> dict[str, str]:
    """Return the environment of a worker on this test's database."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    folder = parts.path.rpartition("/")[0]
    name = str(connection.settings_dict["NAME"])
    url = urlunsplit(parts._replace(path=f"{folder}/{name}"))
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "aiffinity.settings"}


@pytest.fixture
def start_worker() -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Return a function that starts a worker on one run; all are gone at the end."""
    workers: list[subprocess.Popen[bytes]] = []

    def start(run_id: str) -> subprocess.Popen[bytes]:
        workers.append(subprocess.Popen([sys.executable, "-c", WORKER, run_id], env=environment()))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
        worker.wait()


@pytest.mark.django_db(transaction=True)
def test_run_of_a_killed_worker_is_ended_by_another(
    fake_provider: FakeProvider,
    maker: Callable[..., Maker],
    start_worker: Callable[[str], subprocess.Popen[bytes]],
) -> None:
    version = maker(fake_provider.url).version()
    run = ValidationRun.objects.create(version=version, content_hash=version.content_hash)
    fake_provider.hang = True
    worker = start_worker(run.pk)
    fake_provider.wait_for(lambda request: request.route == "execute", timeout=20)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    run.refresh_from_db()
    assert (run.state, run.attempts_made) == (RunState.RUNNING, 1)
    fake_provider.hang = False
    assert runner.wanting_runs() == []
    ValidationRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert runner.wanting_runs() == [run.pk]
    runner.run_validation(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempts_made, Version.objects.get(pk=version.pk).state) == ("passed", 2, "validated")


@pytest.mark.django_db(transaction=True)
def test_worker_renews_its_lease_while_a_provider_hangs(
    fake_provider: FakeProvider,
    maker: Callable[..., Maker],
    start_worker: Callable[[str], subprocess.Popen[bytes]],
) -> None:
    version = maker(fake_provider.url).version()
    run = ValidationRun.objects.create(version=version, content_hash=version.content_hash)
    fake_provider.hang = True
    start_worker(run.pk)
    fake_provider.wait_for(lambda request: request.route == "execute", timeout=20)
    run.refresh_from_db()
    first, give_up_at = run.lease_until, time.monotonic() + 10
    while run.lease_until == first and time.monotonic() < give_up_at:
        time.sleep(0.1)
        run.refresh_from_db()
    assert first is not None
    assert run.lease_until is not None
    assert run.lease_until > first
