"""What web and worker processes make sure of before they serve (decision 19, spec 6 "secrets")."""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.checks import CheckMessage
from django.db import DatabaseError, connection

from aiffinity.lib import checks

logger = logging.getLogger(__name__)


def refuse_misconfiguration(**kwargs: Any) -> None:
    """End a process whose settings or database are wrong, naming each error; a database that is away is only logged.

    Asks in a thread of its own, as ASGI servers load the application inside their event loop.
    """
    with ThreadPoolExecutor(1) as threads:
        faults = threads.submit(_faults).result()
    if faults:
        told = "\n".join(f"  {fault.id}: {fault.msg} {fault.hint or ''}" for fault in faults)
        raise SystemExit(f"The platform refuses to start:\n{told}")


def _faults() -> list[CheckMessage]:
    of_settings = [*checks.check_environment(None), *checks.check_keys(None)]
    try:
        return [
            *of_settings,
            *checks.check_database_environment(None, databases=["default"]),
            *checks.check_sealed_rows(None, databases=["default"]),
        ]
    except DatabaseError as exc:
        logger.warning("the database was not checked: it is away (%s)", type(exc).__name__)
        return of_settings
    finally:
        connection.close()
