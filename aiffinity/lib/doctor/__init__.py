"""What `manage.py doctor` asks: is the platform configured well, and does everything that is due get done.

Each room registers examinations. One finds nothing where all is well; what it finds says what is wrong, why that
matters and what to do, in words for whoever runs the platform. Examinations only read.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from django.db import DatabaseError, connection
from django.utils import timezone

logger = logging.getLogger(__name__)


class Severity(IntEnum):
    """How bad it is; the worst one is the command's exit status."""

    NOTE = 0
    WARNING = 1
    FAULT = 2


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be; `code` is a stable word for monitors."""

    code: str
    severity: Severity
    what: str
    why: str
    remedy: str


Examination = Callable[[], Iterable[Finding]]


@dataclass(frozen=True)
class _Registered:
    examine: Examination
    needs_database: bool


_examinations: dict[str, _Registered] = {}


def register_examination(name: str, examine: Examination, *, needs_database: bool = True) -> None:
    """Add an examination; a room calls this in AppConfig.ready()."""
    _examinations[name] = _Registered(examine, needs_database)


def examine_all() -> list[Finding]:
    """Ask every examination, the worst findings first; those that need the database are left out while it is away."""
    away = _database_away()
    findings = [away] if away else []
    for name, registered in _examinations.items():
        if not (away and registered.needs_database):
            findings += _examine(name, registered.examine)
    return sorted(findings, key=lambda finding: -finding.severity)


def grade(late_by: timedelta, *, warn_after: timedelta, fault_after: timedelta) -> Severity | None:
    """Say how bad a delay is, None where it is none."""
    if late_by >= fault_after:
        return Severity.FAULT
    return Severity.WARNING if late_by >= warn_after else None


def overdue(due_at: datetime | None) -> timedelta:
    """Return how long ago something was due; zero for what is not due yet."""
    return max(timedelta(0), timezone.now() - due_at) if due_at else timedelta(0)


def in_words(span: timedelta) -> str:
    """Render a span for people, such as `3 min`."""
    seconds = round(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def _database_away() -> Finding | None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as exc:
        return Finding(
            "database_away",
            Severity.FAULT,
            f"The database can't be reached ({type(exc).__name__}).",
            "Every call is answered 503, and nothing that is due gets done; nothing is lost.",
            "Check that PostgreSQL runs, and what DATABASE_URL says.",
        )
    return None


def _examine(name: str, examine: Examination) -> Iterator[Finding]:
    try:
        yield from examine()
    except Exception as exc:
        # One that breaks must not keep the others from telling what they find.
        logger.exception("an examination failed", extra={"examination": name})
        yield Finding(
            "examination_failed",
            Severity.FAULT,
            f"The examination '{name}' failed ({type(exc).__name__}).",
            "What it looks for was not looked for.",
            "Apply the migrations (manage.py migrate), look into PostgreSQL's log, and see above for what it raised.",
        )
