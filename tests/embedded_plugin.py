"""The test platform: environment and servers of a test run, ready before Django reads its settings.

pytest loads this plugin first (`-p tests.embedded_plugin`). The first process of a run makes the environment
and starts the servers; the workers of pytest-xdist inherit both and take a Redis database each, while
pytest-django gives each a PostgreSQL database. A developer's `.env` is not read.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from aiffinity.embedded.addresses import embedded_urls, with_redis_database
from aiffinity.embedded.dotenv import development_variables
from aiffinity.embedded.launcher import EmbeddedServices

WORKER = os.environ.get("PYTEST_XDIST_WORKER")


def prepare_environment() -> EmbeddedServices | None:
    """Set the environment of a test run and return the servers that it needs, None where both are given."""
    os.environ["AIFFINITY_ENV_FILE"] = ""
    for name, value in development_variables().items():
        os.environ.setdefault(name, value)
    os.environ["AIFFINITY_ENVIRONMENT"] = "development"
    # The tests themselves keep the processor busy, and wait for workers.
    os.environ.setdefault("WORKER_NICENESS", "0")
    # Races run up to 50 threads in one process, each with a connection of its own.
    os.environ.setdefault("DATABASE_POOL_SIZE", "40")
    data_dir = Path(tempfile.mkdtemp(prefix="aiffinity-tests-"))
    os.environ["DATA_DIR"] = str(data_dir)
    is_given = {name: bool(os.environ.get(name)) for name in ("DATABASE_URL", "REDIS_URL")}
    urls = embedded_urls(data_dir)
    if not is_given["DATABASE_URL"]:
        os.environ["DATABASE_URL"] = urls.database_url
    if not is_given["REDIS_URL"]:
        os.environ["REDIS_URL"] = urls.redis_url
    if all(is_given.values()):
        return None
    return EmbeddedServices(
        data_dir, durable=False, postgres=not is_given["DATABASE_URL"], valkey=not is_given["REDIS_URL"]
    )


SERVICES: EmbeddedServices | None = None
if WORKER is None:
    SERVICES = prepare_environment()
else:
    os.environ["REDIS_URL"] = with_redis_database(os.environ["REDIS_URL"], int(WORKER.removeprefix("gw")) + 1)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return three workers for two cores: many tests wait for processes that they started, and leave theirs idle."""
    return max(1, (os.cpu_count() or 1) * 3 // 2)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start the servers of this run, before pytest-xdist starts its workers."""
    if SERVICES is not None:
        SERVICES.start()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers and remove the data of this run, however it ended."""
    if WORKER is not None:
        return
    if SERVICES is not None:
        SERVICES.stop()
    shutil.rmtree(os.environ["DATA_DIR"], ignore_errors=True)
