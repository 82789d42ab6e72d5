"""What the library keeps: sealed rows, queued mails and the audit log."""

from collections.abc import Iterator
from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Min

from aiffinity.lib.audit import find_breaks
from aiffinity.lib.doctor import Finding, Severity, grade, in_words, overdue
from aiffinity.lib.models import AuditEntry, OutgoingMail
from aiffinity.lib.rewrapping import count_not_rewrapped, sealed_columns

MAIL_WARNING = timedelta(minutes=5)
MAIL_FAULT = timedelta(hours=1)
REFUSED_OFTEN = 3
CHAINS_CHECKED = 20


def examine_encryption_keys() -> Iterator[Finding]:
    """Find secrets that are still sealed under an older master key; unknown keys are the system checks' business."""
    try:
        counts = {column.label: count_not_rewrapped(column) for column in sealed_columns}
    except ImproperlyConfigured:
        # The system checks say what is wrong with the keys.
        return
    waiting = {label: count for label, count in counts.items() if count}
    if waiting:
        told = ", ".join(f"{count} of {label}" for label, count in sorted(waiting.items()))
        yield Finding(
            "keys_not_rotated",
            Severity.WARNING,
            f"{sum(waiting.values())} secrets are sealed under an older master key: {told}.",
            "The old key can't be taken out of AIFFINITY_ENCRYPTION_KEYS yet.",
            "Run manage.py rotate_encryption_keys once every process knows the new key.",
        )


def examine_mails() -> Iterator[Finding]:
    """Find mails that nobody sends, and a mail server that refuses them."""
    late_by = overdue(OutgoingMail.objects.aggregate(due_at=Min("next_attempt_at"))["due_at"])
    severity = grade(late_by, warn_after=MAIL_WARNING, fault_after=MAIL_FAULT)
    if severity is not None:
        yield Finding(
            "mails_waiting",
            severity,
            f"{OutgoingMail.objects.count()} mails wait; the oldest is {in_words(late_by)} overdue.",
            "Nobody can verify a new account or hears of a failing endpoint.",
            "See that a worker runs and can reach the mail server.",
        )
    refused = OutgoingMail.objects.filter(attempts_made__gte=REFUSED_OFTEN).count()
    if refused:
        yield Finding(
            "mails_refused",
            Severity.WARNING,
            f"{refused} mails failed {REFUSED_OFTEN} times or more.",
            "They are given up 24 hours after they were written.",
            "Check EMAIL_URL and the mail server; the worker's log names the reason.",
        )


def examine_audit_log() -> Iterator[Finding]:
    """Find a broken chain among those that were written to last."""
    newest = AuditEntry.objects.order_by("-pk").values_list("subject", flat=True)[: CHAINS_CHECKED * 5]
    subjects = list(dict.fromkeys(newest))[:CHAINS_CHECKED]
    broken = sorted({entry.subject for entry in find_breaks(subjects)})
    if broken:
        yield Finding(
            "audit_broken",
            Severity.FAULT,
            f"The audit log of {', '.join(broken)} was changed after it was written.",
            "Somebody with access to the database altered or removed what was decided.",
            "Run manage.py verify_audit_log for every broken entry, keep a copy of the database, and find out who.",
        )
