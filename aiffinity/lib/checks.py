"""System checks with ids for misconfiguration (spec 5 "One settings.py", spec 6 "secrets")."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models
from django.db.models import F, Func, Value

from aiffinity.lib.crypto import parse_keyring
from aiffinity.lib.deployment import environment_fault

ENVIRONMENTS = ("development", "sandbox", "staging", "production")
SEALED_PREFIX = "sealed_"
MOST_NICE = 19


def check_environment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse unknown environments, and egress exceptions outside development."""
    found: list[CheckMessage] = []
    if settings.ENVIRONMENT not in ENVIRONMENTS:
        hint = f"Set it to one of {', '.join(ENVIRONMENTS)}."
        found.append(Error("AIFFINITY_ENVIRONMENT is unknown.", hint=hint, id="aiffinity.E001"))
    if settings.ENVIRONMENT != "development" and (settings.EGRESS_ALLOW or settings.EGRESS_ALLOW_HTTP):
        found.append(
            Error(
                "Egress exceptions are for development alone.",
                hint="Unset AIFFINITY_EGRESS_ALLOW and AIFFINITY_EGRESS_ALLOW_HTTP.",
                id="aiffinity.E002",
            )
        )
    return found


def check_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse to run without a good master key."""
    try:
        parse_keyring(settings.ENCRYPTION_KEYS)
    except ImproperlyConfigured as exc:
        return [Error(str(exc), hint="`.env.example` shows how to make one.", id="aiffinity.E003")]
    return []


def check_worker_niceness(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a niceness that no process may give itself, or that would put workers before everybody else."""
    if 0 <= settings.WORKER_NICENESS <= MOST_NICE:
        return []
    hint = f"Set it to a whole number from 0 to {MOST_NICE}, or leave it out."
    return [Error("WORKER_NICENESS is out of range.", hint=hint, id="aiffinity.E006")]


def check_database_environment(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a database that belongs to another environment (decision 19)."""
    fault = environment_fault() if databases else None
    if fault is None:
        return []
    hint = "Point DATABASE_URL at the database of this environment."
    return [Error(f"Wrong database: {fault}.", hint=hint, id="aiffinity.E004")]


def check_sealed_rows(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse to run when stored secrets name a master key that is not configured."""
    if not databases or check_keys(app_configs):
        return []
    configured = parse_keyring(settings.ENCRYPTION_KEYS).keys
    return [
        Error(
            f"Rows of {label} were sealed with master key '{key_id}', which is not configured.",
            hint="Add the key back to AIFFINITY_ENCRYPTION_KEYS; without it these secrets are lost.",
            id="aiffinity.E005",
        )
        for label, key_ids in _stored_key_ids()
        for key_id in sorted(key_ids - set(configured))
    ]


def _stored_key_ids() -> Iterator[tuple[str, set[str]]]:
    """Yield every sealed column with the key ids in it, but for columns whose migration is still to come."""
    tables = set(connection.introspection.table_names())
    for model in apps.get_models():
        if model._meta.db_table not in tables:
            continue
        for field in model._meta.concrete_fields:
            if field.name.startswith(SEALED_PREFIX) and _has_column(model, field.column):
                yield f"{model._meta.label}.{field.name}", _key_ids(model, field.name)


def _has_column(model: type[models.Model], column: str | None) -> bool:
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, model._meta.db_table)
    return column in {found.name for found in described}


def _key_ids(model: type[models.Model], name: str) -> set[str]:
    key_id = Func(F(name), Value("."), Value(2), function="split_part", output_field=models.TextField())
    rows = model._base_manager.exclude(**{name: ""}).exclude(**{f"{name}__isnull": True})
    return set(rows.annotate(master_key_id=key_id).values_list("master_key_id", flat=True).distinct())


def register_all() -> None:
    """Register every check of the library."""
    register(check_environment)
    register(check_keys)
    register(check_worker_niceness)
    register(check_database_environment, Tags.database)
    register(check_sealed_rows, Tags.database)
