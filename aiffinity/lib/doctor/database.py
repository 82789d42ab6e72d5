"""The database: its migrations, its connections and its clock."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from aiffinity.lib.doctor import Finding, Severity, grade
from aiffinity.lib.probes import Migrations

SKEW_WARNING = timedelta(seconds=2)
SKEW_FAULT = timedelta(seconds=15)
BUSY_SHARE = 0.8
# Web, stream, worker and beat: the least that a platform runs, each with a pool of its own.
LEAST_PROCESSES = 4


def examine_migrations() -> Iterator[Finding]:
    """Find migrations that were not applied."""
    fault = Migrations().fault()
    if fault:
        yield Finding(
            "migrations_missing",
            Severity.FAULT,
            f"{fault[0].upper()}{fault[1:]}.",
            "The code expects tables and columns that are not there.",
            "Run manage.py migrate.",
        )


def examine_connections() -> Iterator[Finding]:
    """Find pools that could ask for more connections than the server gives, and a server that has few left."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,"
            " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')"
        )
        available, used = cursor.fetchone()
    if available < settings.DATABASE_POOL_SIZE * LEAST_PROCESSES:
        yield Finding(
            "pool_too_large",
            Severity.WARNING,
            f"Four processes with DATABASE_POOL_SIZE={settings.DATABASE_POOL_SIZE} may ask for more connections than "
            f"the {available} that PostgreSQL gives.",
            "Under load calls are answered 503 for want of a connection.",
            "Lower DATABASE_POOL_SIZE, raise max_connections, or put a connection pooler in between.",
        )
    if used >= BUSY_SHARE * available:
        yield Finding(
            "connections_scarce",
            Severity.WARNING,
            f"{used} of the {available} connections of PostgreSQL are taken.",
            "Further processes may get none.",
            "Look at pg_stat_activity for who holds them; raise max_connections or run fewer processes.",
        )


def examine_clocks() -> Iterator[Finding]:
    """Find a clock of this host that differs from the database's."""
    asked_at = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (database_time,) = cursor.fetchone()
    skew = abs(database_time - (asked_at + (timezone.now() - asked_at) / 2))
    severity = grade(skew, warn_after=SKEW_WARNING, fault_after=SKEW_FAULT)
    if severity is not None:
        yield Finding(
            "clock_skew",
            severity,
            f"This host's clock and the database's differ by {skew.total_seconds():.1f} s.",
            "Leases, tokens and signatures are judged by the clock: work is done twice or late, tokens are refused.",
            "Let both hosts follow the same time server (NTP).",
        )
