"""Fixtures of the launcher's tests: data folders of their own, and no server left behind."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from aiffinity.embedded.addresses import socket_dir
from aiffinity.embedded.launcher import EmbeddedServices

StartServices = Callable[..., EmbeddedServices]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A new data folder with a short path, removed with its sockets."""
    folder = Path(tempfile.mkdtemp(prefix="aiffinity-data-"))
    yield folder
    shutil.rmtree(socket_dir(folder), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def start_services(data_dir: Path) -> Iterator[StartServices]:
    """Start servers of the data folder; those still running are stopped after the test."""
    started: list[EmbeddedServices] = []

    def start(folder: Path = data_dir, **options: bool) -> EmbeddedServices:
        services = EmbeddedServices(folder, **{"durable": False, **options})
        started.append(services)
        services.start()
        return services

    yield start
    for services in started:
        services.stop()


@pytest.fixture
def spawned() -> Iterator[list[int]]:
    """Process ids that are killed after the test, should they still run."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, 9)
