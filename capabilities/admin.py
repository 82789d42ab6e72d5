"""What staff sees of installs, calls and connections; verbs change them, by POST."""

from typing import Any

from django.contrib import admin

from aiffinity.lib.errors import InvalidState
from aiffinity.lib.staff_pages import ReadOnlyAdmin
from aiffinity.lib.staff_steps import Step, StepAdmin
from capabilities.connections import revoke_connection
from capabilities.models import Install, Invocation
from providers.models import User
from runtime.connections.refreshing import require_reconnection
from runtime.models import Connection, ConnectionStatus

OPERATE = "runtime.operate_connections"


@admin.register(Install)
class InstallAdmin(ReadOnlyAdmin):
    """Installs, the newest first."""

    show_full_result_count = False
    list_display = ["id", "package", "version", "created_at", "removed_at"]
    list_filter = ["removed_at"]
    list_select_related = ["package", "version"]
    search_fields = ["=id", "=package__slug"]
    ordering = ["-pk"]


@admin.register(Invocation)
class InvocationAdmin(ReadOnlyAdmin):
    """Calls, the newest first; so many that counting them all would be slow."""

    show_full_result_count = False
    list_display = ["id", "capability", "status", "error_code", "latency_ms", "is_cached", "created_at"]
    list_filter = ["status", "mode"]
    search_fields = ["=id", "=capability_id", "=install_id"]
    ordering = ["-pk"]


def _require_reconnection(connection: Connection, user: User, values: dict[str, Any]) -> str:
    if not require_reconnection(connection, "by_staff", values["reason"], actor=f"user:{user.pk}"):
        raise InvalidState("The connection changed meanwhile; look again.")
    return "The user has to connect anew; calls are refused until then."


def _revoke(connection: Connection, user: User, values: dict[str, Any]) -> str:
    revoke_connection(connection, actor=f"user:{user.pk}", reason=values["reason"])
    return "The connection can't be used any more; it is revoked at the provider and then erased."


@admin.register(Connection)
class ConnectionAdmin(StepAdmin):
    """Connections, the newest first; tokens, keys and fields are not shown to anybody."""

    steps = (
        Step(
            "reconnect",
            "Require a new connection",
            OPERATE,
            "Calls answer CONNECTION_REQUIRED until the user connects anew. The provider is told by connection.failed.",
            _require_reconnection,
            lambda connection: connection.status == ConnectionStatus.ACTIVE,
        ),
        Step(
            "revoke",
            "Revoke this connection",
            OPERATE,
            "It can't be used from now on. Its tokens are revoked at the provider, for up to 24 hours, then erased.",
            _revoke,
            lambda connection: connection.status != ConnectionStatus.REVOKING,
            tone="bad",
        ),
    )
    list_display = ("id", "runtime_app", "strategy", "status", "expires_at", "next_attempt_at", "last_error")
    list_filter = ("status", "strategy")
    list_select_related = ("runtime_app__app",)
    search_fields = ("=id", "=install_id", "=runtime_app__app__id", "=user__id")
    exclude = ("sealed_content", "authority_hash")
    ordering = ("-pk",)
