"""The append-only audit log: one hash chain per subject (spec 3 "Every transition", spec 6 "audit")."""

import hashlib
from collections.abc import Collection, Iterator
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone

from aiffinity.lib.canonical import canonical_json
from aiffinity.lib.models import AuditEntry, AuditHead
from aiffinity.lib.request_ids import get_request_id

GENESIS = "0" * 64


def append_audit(
    *,
    subject: str,
    action: str,
    actor: str,
    from_state: str = "",
    to_state: str = "",
    reason: str = "",
    content_hash: str = "",
    data: dict[str, Any] | None = None,
) -> AuditEntry:
    """Append one entry to the subject's chain, inside the caller's transaction.

    A lock on the subject's name orders parallel writers; it ends with the transaction. Source: spec 3.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"audit:{subject}"])
    last = AuditEntry.objects.filter(subject=subject).order_by("-sequence").first()
    entry = AuditEntry(
        subject=subject,
        sequence=last.sequence + 1 if last else 1,
        action=action,
        actor=actor,
        from_state=from_state,
        to_state=to_state,
        reason=reason,
        request_id=get_request_id(),
        content_hash=content_hash,
        data=data or {},
        created_at=timezone.now(),
        previous_hash=last.hash if last else GENESIS,
    )
    entry.hash = entry_hash(entry)
    entry.save(force_insert=True)
    return entry


def entry_hash(entry: AuditEntry) -> str:
    """Hash everything that an entry says, together with its predecessor's hash."""
    said = {
        name: getattr(entry, name)
        for name in (
            "id",
            "subject",
            "sequence",
            "action",
            "actor",
            "from_state",
            "to_state",
            "reason",
            "request_id",
            "content_hash",
            "data",
            "previous_hash",
        )
    }
    said["created_at"] = entry.created_at.isoformat()
    return hashlib.sha256(canonical_json(said)).hexdigest()


def find_breaks(subjects: Collection[str] | None = None) -> Iterator[AuditEntry]:
    """Yield every entry whose hash, sequence, link to its predecessor or place in the chain doesn't hold.

    Looks at the chains of these subjects, or at all.
    Where the end of a chain is missing, an unsaved entry without an id stands for the newest one that was written.
    """
    heads = AuditHead.objects.filter(subject=OuterRef("subject"))
    entries = AuditEntry.objects.annotate(
        head_sequence=Subquery(heads.values("sequence")), head_hash=Subquery(heads.values("hash"))
    )
    chains = Q() if subjects is None else Q(subject__in=subjects)
    subject, sequence, previous = "", 0, GENESIS
    for entry in entries.filter(chains).order_by("subject", "sequence").iterator(chunk_size=2000):
        if entry.subject != subject:
            subject, sequence, previous = entry.subject, 0, GENESIS
        sequence += 1
        is_linked = entry.sequence == sequence and entry.previous_hash == previous
        if not (is_linked and _fits_head(entry) and entry.hash == entry_hash(entry)):
            yield entry
        sequence, previous = entry.sequence, entry.hash
    yield from _missing_ends(chains)


def _fits_head(entry: Any) -> bool:
    if entry.head_sequence is None or entry.sequence > entry.head_sequence:
        return False
    return bool(entry.sequence < entry.head_sequence or entry.hash == entry.head_hash)


def _missing_ends(chains: Q) -> Iterator[AuditEntry]:
    reaching = AuditEntry.objects.filter(subject=OuterRef("subject"), sequence__gte=OuterRef("sequence"))
    for head in AuditHead.objects.filter(chains, ~Exists(reaching)).order_by("subject").iterator():
        yield AuditEntry(id="", subject=head.subject, sequence=head.sequence, action="missing", hash=head.hash)
