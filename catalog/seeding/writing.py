"""Writes a batch of made-up rows with one statement for each table."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, models
from django.utils import timezone

from aiffinity.lib.models import AuditEntry
from catalog.seeding.cases import CaseRows
from packages.models import Package, ValidationRun, Version


@dataclass
class Rows:
    """The unsaved rows of one batch."""

    packages: list[Package] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    runs: list[ValidationRun] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
    cases: CaseRows = field(default_factory=CaseRows)


def make_slugs_unique(packages: Sequence[Package]) -> None:
    """Let a slug that is in use already get a number."""
    used = set(Package.objects.filter(slug__in=[each.slug for each in packages]).values_list("slug", flat=True))
    for package in packages:
        base, number = package.slug, 1
        while package.slug in used or (number > 1 and Package.objects.filter(slug=package.slug).exists()):
            number += 1
            package.slug = f"{base}-{number}"
        used.add(package.slug)


def write(rows: Rows) -> None:
    """Write a batch, inside the caller's transaction."""
    cases = rows.cases
    tables: tuple[Sequence[models.Model], ...] = (
        *(rows.packages, rows.versions, rows.runs, rows.audit),
        *(cases.reviews, cases.decisions, cases.messages, cases.attestations, cases.grants),
    )
    for made in tables:
        if made:
            _copy(made)


def analyse() -> None:
    """Let the planner know the new sizes at once; autovacuum may take a minute."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _copy(rows: Sequence[models.Model]) -> None:
    """Write rows of one model with COPY: `bulk_create` takes three times as long and dates everything to now."""
    meta, quote = type(rows[0])._meta, connection.ops.quote_name
    fields = [each for each in meta.concrete_fields if not isinstance(each, models.AutoField)]
    columns = ", ".join(quote(str(each.column)) for each in fields)
    values = _Values(timezone.now())
    statement = f"COPY {quote(meta.db_table)} ({columns}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([values.of(row, each) for each in fields])


class _Values:
    """Turns fields of rows into what COPY takes; many rows share their JSON, which is rendered once."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._texts: dict[int, str] = {}

    def of(self, row: models.Model, field: "models.Field[Any, Any]") -> Any:
        """Return a value; a moment that was left out is now."""
        value = getattr(row, field.attname)
        if value is None:
            return self._now if getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False) else None
        if isinstance(field, models.JSONField):
            # The rows keep their values alive, so that no id is given to another one meanwhile.
            return self._texts.get(id(value)) or self._render(value)
        # An enumeration's member would be written by its name.
        return str(value) if isinstance(value, str) else value

    def _render(self, value: Any) -> str:
        self._texts[id(value)] = text = json.dumps(value)
        return text
