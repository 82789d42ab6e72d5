"""Move every sealed row to the active master key while the platform serves."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aiffinity.lib.rewrapping import rewrap_column, sealed_columns


class Command(BaseCommand):
    """Rewrap what older master keys sealed; it may be broken off and run again at any time."""

    help = "Reseals under the first master key; run it once all processes know that key, then drop the old ones."

    def handle(self, *args: Any, **options: Any) -> None:
        """Walk every column; exit with 1 where an old key is needed still, and name the rows that don't open."""
        unreadable = left = 0
        for result in map(rewrap_column, sealed_columns):
            label = result.column.label
            self.stdout.write(f"{label}: {result.moved} moved")
            for pk in result.unreadable:
                unreadable += 1
                self.stdout.write(f"{label}: {pk} does not open")
            left += result.left
        if unreadable:
            raise CommandError(f"{unreadable} rows do not open; keep the old master keys.")
        if left:
            raise CommandError(
                f"{left} rows were sealed under an old master key meanwhile: some process does not know the new one as "
                "its first yet. Restart it and run this again."
            )
        self.stdout.write("Everything is sealed under the first master key; the others may be removed.")
