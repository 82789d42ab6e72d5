"""Recoveries as ops see them: who asked for what, and how far it is."""

from django.contrib import admin

from aiffinity.lib.staff_pages import ReadOnlyAdmin
from runtime.models import Recovery, RecoveryStatus

STATUS_COLOURS = {
    RecoveryStatus.RUNNING: "warning",
    RecoveryStatus.FINISHED: "success",
    RecoveryStatus.STOPPED: "danger",
}


@admin.register(Recovery)
class RecoveryAdmin(ReadOnlyAdmin):
    """Recoveries, the newest first, with their progress; the audit log says why they were asked for."""

    list_display = (
        *("id", "app", "kind", "since", "state", "progress", "stop_reason"),
        *("requested_by", "created_at", "updated_at", "finished_at"),
    )
    list_filter = ("status", "kind")
    list_select_related = ("endpoint__runtime_app__app",)
    search_fields = ("id__exact", "endpoint__runtime_app__app__id__exact")
    ordering = ("-pk",)
    readonly_fields = ("progress",)

    @admin.display(description="App")
    def app(self, recovery: Recovery) -> str:
        """Name the app whose deliveries they are."""
        return str(recovery.endpoint.runtime_app.app)

    @admin.display(description="Status", ordering="status")
    def state(self, recovery: Recovery) -> str:
        """Show the status."""
        return recovery.status

    state.label = STATUS_COLOURS  # type: ignore[attr-defined]  # Unfold reads it.

    @admin.display(description="Sent again")
    def progress(self, recovery: Recovery) -> str:
        """Show how many of how many are sent again."""
        total = "being counted" if recovery.count is None else recovery.count
        return f"{recovery.resent_count} of {total}"
