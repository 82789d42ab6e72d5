"""What one call leaves behind: an invocation row, and an event where the provider was called (spec 4 "Gateway")."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from aiffinity.lib.errors import PlatformError
from capabilities.callers import Target
from capabilities.models import Invocation, InvocationStatus
from runtime.events import post_events
from runtime.invocation_times import note_invocations

MAX_MESSAGE_CHARACTERS = 300


@dataclass(frozen=True)
class Record:
    """An invocation and whether the provider is told about it.

    An answer out of the cache, or of somebody else's equal call in flight, spared the provider a call; it
    is in the log but makes no event.
    """

    invocation: Invocation
    has_event: bool

    def posting(self) -> tuple[str, str, dict[str, Any]]:
        """Return app, type and data of the event."""
        row = self.invocation
        data: dict[str, Any] = {
            "capability_id": row.capability_id,
            "capability": row.capability,
            "invocation_id": row.pk,
            "install_id": row.install_id,
            "user_id": row.user_id,
            "status": row.status,
            "latency_ms": row.latency_ms,
        }
        if row.status == InvocationStatus.ERROR:
            return row.app_id, "capability.failed", {**data, "reason": row.error_code.lower()}
        return row.app_id, "capability.invoked", data


def new_invocation(target: Target) -> Invocation:
    """Make the row of a call that begins now; nothing is written yet."""
    return Invocation(
        app_id=target.app_id,
        capability_id=target.capability_id,
        capability=target.name,
        mode=target.mode,
        install_id=target.install.pk,
        version_id=target.install.version_id,
        user_id=target.user_id,
        status=InvocationStatus.PENDING,
        latency_ms=0,
        created_at=timezone.now(),
    )


def set_failure(invocation: Invocation, error: PlatformError) -> None:
    """Put an error into the row; its message is the platform's, the details stay with the caller."""
    invocation.status = InvocationStatus.ERROR
    invocation.error_code = error.code
    invocation.error_message = error.message[:MAX_MESSAGE_CHARACTERS].replace("\x00", "")


def write_records(records: Sequence[Record]) -> None:
    """Write finished calls with their events in one transaction; rows written before are updated."""
    rows = [record.invocation for record in records]
    with transaction.atomic():
        Invocation.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["status", "error_code", "error_message", "latency_ms"],
        )
        post_events([record.posting() for record in records if record.has_event])
        note_invocations((row.app_id, row.created_at) for row in rows)
