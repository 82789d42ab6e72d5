"""The database remembers its environment, and nothing starts with another (spec 1, decision 19)."""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from aiffinity.lib.models import Deployment

logger = logging.getLogger(__name__)


def remember_environment(**kwargs: Any) -> None:
    """Write this deployment's environment into a database that has none yet (after each migrate)."""
    if not Deployment.objects.exists():
        Deployment.objects.create(environment=settings.ENVIRONMENT)


def environment_fault() -> str | None:
    """Say that the database belongs to another environment, or return None."""
    if Deployment._meta.db_table not in connection.introspection.table_names():
        return None
    remembered = Deployment.objects.order_by("pk").values_list("environment", flat=True).first()
    if remembered in (None, settings.ENVIRONMENT):
        return None
    return f"this database belongs to '{remembered}', and AIFFINITY_ENVIRONMENT is '{settings.ENVIRONMENT}'"


def refuse_wrong_environment(**kwargs: Any) -> None:
    """End a process that starts on another environment's database; a database that is away is only logged.

    Asks in a thread of its own, as ASGI servers load the application inside their event loop.
    """
    with ThreadPoolExecutor(1) as threads:
        fault = threads.submit(_startup_fault).result()
    if fault:
        raise SystemExit(f"The platform refuses to start: {fault}.")


def _startup_fault() -> str | None:
    try:
        return environment_fault()
    except DatabaseError as exc:
        logger.warning("the database's environment is unknown: it is away (%s)", type(exc).__name__)
        return None
    finally:
        connection.close()
