"""Move all sealed secrets to the active master key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aiffinity.lib.rewrapping import rewrap_column, sealed_columns


class Command(BaseCommand):
    """Wrap every data key anew under the first of AIFFINITY_ENCRYPTION_KEYS; may run while the platform serves."""

    help = "Reseals under the first master key; run it once all processes know that key, then drop the old ones."

    def handle(self, *args: Any, **options: Any) -> None:
        """Walk every column; exit with 1 and name the rows that don't open."""
        unreadable = 0
        for result in map(rewrap_column, sealed_columns):
            label = f"{result.column.model._meta.label}.{result.column.field}"
            self.stdout.write(f"{label}: {result.moved} moved")
            for pk in result.unreadable:
                unreadable += 1
                self.stdout.write(f"{label}: {pk} does not open")
        if unreadable:
            raise CommandError(f"{unreadable} rows do not open; keep the old master keys.")
