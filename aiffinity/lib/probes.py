"""What a load balancer asks: is the process alive, and can it serve (spec 5 "How it runs")."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from aiffinity.lib.deployment import environment_fault
from aiffinity.lib.ratelimit import redis_client


class Migrations:
    """Remembers that all migrations were applied, as a process's migrations never become more."""

    def __init__(self) -> None:
        self._are_applied = False

    def fault(self) -> str | None:
        """Say how many migrations are missing, or None."""
        if not self._are_applied:
            executor = MigrationExecutor(connection)
            missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
            if missing:
                return f"{len(missing)} migrations are not applied"
            self._are_applied = True
        return None


migrations = Migrations()


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer that the process is alive; asks nobody."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200, or 503 with what is missing: the database, its migrations or environment, Redis."""
    missing = {name: fault for name, fault in (*_database_faults(), ("redis", _redis_fault())) if fault}
    if missing:
        return JsonResponse({"status": "unavailable", "missing": missing}, status=503)
    return JsonResponse({"status": "ready"})


def _database_faults() -> list[tuple[str, str | None]]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return [("migrations", migrations.fault()), ("environment", environment_fault())]
    except DatabaseError as exc:
        return [("database", f"the database is away ({type(exc).__name__})")]


def _redis_fault() -> str | None:
    try:
        redis_client().ping()
    except (RedisError, OSError) as exc:
        return f"Redis is away ({type(exc).__name__})"
    return None
