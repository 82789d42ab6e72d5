"""The database remembers its environment, and nothing starts with another (spec 1, decision 19)."""

from typing import Any

from django.conf import settings
from django.db import connection

from aiffinity.lib.models import Deployment


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
