"""The Celery application: workers are woken and supervised by it; the database holds what is due."""

import contextlib
import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_init
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aiffinity.settings")

celery_app = Celery("aiffinity")
celery_app.config_from_object("django.conf:settings", namespace="CELERY")
celery_app.autodiscover_tasks()


@worker_init.connect
def yield_the_processor(**_: Any) -> None:
    """Leave the processor first to those that people wait for, such as the web processes of the same machine."""
    niceness = settings.WORKER_NICENESS
    os.nice(niceness)
    if os.getsid(0) == os.getpid():
        # Linux may weigh sessions against each other first, and this process has one of its own.
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(niceness))
