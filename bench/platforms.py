"""A platform of a benchmark's own: settings, database and broker in a folder that goes with it, and processes."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from aiffinity.embedded.addresses import embedded_urls
from aiffinity.embedded.dotenv import development_variables
from aiffinity.embedded.launcher import EmbeddedServices
from aiffinity.embedded.processes import tied

ROOT = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def platform() -> Iterator[Path]:
    """Run the database and the broker of a platform of its own, migrated; Django is ready inside."""
    with tempfile.TemporaryDirectory(prefix="aiffinity-bench-") as folder:
        data_dir = Path(folder)
        urls = embedded_urls(data_dir)
        os.environ.update(development_variables())
        os.environ.update(
            AIFFINITY_ENV_FILE="",
            DATA_DIR=folder,
            DATABASE_URL=urls.database_url,
            REDIS_URL=urls.redis_url,
            DJANGO_SETTINGS_MODULE="aiffinity.settings",
            LOG_LEVEL="WARNING",
        )
        with EmbeddedServices(data_dir):
            import django
            from django.core.management import call_command
            from django.db import connection

            django.setup()
            call_command("migrate", interactive=False, verbosity=0)
            try:
                yield data_dir
            finally:
                connection.close()
                connection.close_pool()  # type: ignore[attr-defined]


def start(module: Sequence[str], *, environment: dict[str, str] | None = None, **options: Any) -> Any:
    """Start `python -m module…`; it ends with this process."""
    command = tied([sys.executable, "-m", *module], death_signal=signal.SIGKILL)
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, **options)


def end(process: Any) -> None:
    """Kill a process of ours, and those that it started, with kill -9 and collect it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
