"""The log of calls, newest first, kept 30 days (spec 1 decision 16, spec 4 "Gateway")."""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet

from aiffinity.lib.errors import NotFound
from aiffinity.lib.ids import is_id
from capabilities.callers import owns_capability
from capabilities.models import Install, Invocation
from providers.authentication import Caller
from providers.models import User
from providers.opaque_ids import opaque_user_id

KEPT_FOR = timedelta(days=30)
PURGE_BATCH = 5_000


def visible_invocations(caller: Caller, capability_id: str, *, since: datetime | None = None) -> QuerySet[Invocation]:
    """Return the calls of a capability that the caller may see.

    The account that owns the capability sees all of them, a user their own. Raises NotFound for a capability
    of others that the user never had.
    """
    if not is_id(capability_id, "cap"):
        raise NotFound
    found = Invocation.objects.filter(capability_id=capability_id)
    if not owns_capability(caller, capability_id):
        found = found.filter(user_id=_known_user_id(caller.user, capability_id))
    return found if since is None else found.filter(created_at__gte=since)


def render_invocation(row: Invocation) -> dict[str, object]:
    """Render one call; `error` is null where it succeeded."""
    error = {"code": row.error_code, "message": row.error_message} if row.error_code else None
    return {
        "id": row.pk,
        "capability_id": row.capability_id,
        "capability": row.capability,
        "mode": row.mode,
        "app_id": row.app_id,
        "install_id": row.install_id,
        "version_id": row.version_id,
        "user_id": row.user_id,
        "status": row.status,
        "cached": row.is_cached,
        "latency_ms": row.latency_ms,
        "error": error,
        "created_at": row.created_at,
    }


def purge_invocations(now: datetime) -> int:
    """Delete calls older than 30 days in small batches and return how many there were."""
    statement = (
        "DELETE FROM capabilities_invocation WHERE id IN "
        "(SELECT id FROM capabilities_invocation WHERE created_at < %s ORDER BY created_at LIMIT %s)"
    )
    too_old, deleted = now - KEPT_FOR, 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [too_old, PURGE_BATCH])
            count: int = cursor.rowcount
        deleted += count
        if count < PURGE_BATCH:
            return deleted


def _known_user_id(user: User | None, capability_id: str) -> str:
    if user is None:
        raise NotFound
    having = Install.objects.filter(user=user, version__capabilities__contains=[{"capability_id": capability_id}])
    app_id = having.values_list("package__app_id", flat=True).first()
    if app_id is None:
        raise NotFound
    return opaque_user_id(user.pk, app_id)
