"""What staff sees of installs and calls; nothing can be changed here."""

from django.contrib import admin

from aiffinity.lib.staff_pages import ReadOnlyAdmin
from capabilities.models import Install, Invocation


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
