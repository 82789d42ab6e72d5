"""What ops see of the audit log and of mails; nothing can be changed here."""

from django.contrib import admin

from aiffinity.lib.models import AuditEntry, OutgoingMail
from aiffinity.lib.staff_pages import ReadOnlyAdmin


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The audit log, the newest first."""

    list_display = ("created_at", "subject", "action", "actor", "from_state", "to_state")
    search_fields = ("=subject", "=actor", "=request_id")
    ordering = ("-pk",)


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    """Mails that are due or were sent; their texts may hold one-time links and are not shown."""

    list_display = ("id", "to", "subject", "attempts_made", "next_attempt_at", "created_at")
    search_fields = ("=id", "=to")
    exclude = ("sealed_body",)
    ordering = ("-pk",)
