"""The configuration: Django's and the platform's own system checks, and room on the disk."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.checks import ERROR, WARNING, CheckMessage, Tags, run_checks

from aiffinity.lib.doctor import Finding, Severity

WHY = "The platform refuses to start with such a configuration, or is less safe than it should be."
SCARCE_SHARE, FULL_SHARE = 0.10, 0.03


def examine_configuration() -> Iterator[Finding]:
    """Find what the system checks find, those for deployments too unless this is for development."""
    yield from _findings(run_checks(include_deployment_checks=settings.ENVIRONMENT != "development"))


def examine_stored_configuration() -> Iterator[Finding]:
    """Find what the system checks find in the database: another environment's, or secrets under unknown keys."""
    yield from _findings(run_checks(tags=[Tags.database], databases=["default"]))


def _findings(messages: list[CheckMessage]) -> Iterator[Finding]:
    for message in messages:
        if message.level >= WARNING and not message.is_silenced():
            severity = Severity.FAULT if message.level >= ERROR else Severity.WARNING
            remedy = message.hint or "Run manage.py check --deploy."
            yield Finding(message.id or "check", severity, message.msg, WHY, remedy)


def examine_disk() -> Iterator[Finding]:
    """Find a disk of DATA_DIR that is nearly full."""
    yield from disk_findings(settings.DATA_DIR)


def disk_findings(
    folder: Path, *, scarce_share: float = SCARCE_SHARE, full_share: float = FULL_SHARE
) -> Iterator[Finding]:
    """Find too little room below a folder, or the nearest one above that exists; the shares are of the whole disk."""
    place = next(each for each in (folder, *folder.parents) if each.exists())
    usage = shutil.disk_usage(place)
    share = usage.free / usage.total
    if share < scarce_share:
        yield Finding(
            "disk_full",
            Severity.FAULT if share < full_share else Severity.WARNING,
            f"Only {share:.0%} of the disk of {place} is free ({usage.free // 2**20} MiB).",
            "An embedded database stops when its disk is full, and mails in files are lost.",
            "Free some room, or move DATA_DIR to a larger disk.",
        )
