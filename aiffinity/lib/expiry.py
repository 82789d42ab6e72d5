"""What the library itself keeps for a while only: idempotency records, and the sessions of the staff console."""

from datetime import datetime

from django.contrib.sessions.models import Session

from aiffinity.lib.models import IdempotencyRecord
from aiffinity.lib.retention import delete_in_batches, register_retention


def purge_idempotency_records(now: datetime) -> int:
    """Delete the records that are past their 24 hours."""
    return delete_in_batches(IdempotencyRecord.objects.filter(expires_at__lt=now))


def purge_sessions(now: datetime) -> int:
    """Delete the sessions that expired."""
    return delete_in_batches(Session.objects.filter(expire_date__lt=now))


def register_all() -> None:
    """Register every purge of the library."""
    register_retention("idempotency records", purge_idempotency_records)
    register_retention("sessions", purge_sessions)
