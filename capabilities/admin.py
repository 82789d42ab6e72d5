"""What staff sees of installs and calls; nothing can be changed here."""

from django.contrib import admin
from django.http import HttpRequest

from capabilities.models import Install, Invocation


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A page without buttons that write."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds rows by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody changes rows by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody deletes rows by hand."""
        return False


@admin.register(Install)
class InstallAdmin(ReadOnlyAdmin):
    """Installs, the newest first."""

    list_display = ["id", "package", "version", "created_at", "removed_at"]
    list_filter = ["removed_at"]
    list_select_related = ["package", "version"]
    search_fields = ["=id", "=package__slug"]
    ordering = ["-created_at"]


@admin.register(Invocation)
class InvocationAdmin(ReadOnlyAdmin):
    """Calls, the newest first."""

    list_display = ["id", "capability", "status", "error_code", "latency_ms", "is_cached", "created_at"]
    list_filter = ["status", "mode"]
    search_fields = ["=id", "=capability_id", "=install_id"]
    ordering = ["-created_at"]
