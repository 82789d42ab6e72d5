"""`manage.py sweep_orphans`: take out of the catalog what was orphaned for 30 days."""

from typing import Any

from django.core.management.base import BaseCommand

from packages.suspension import delist_orphans


class Command(BaseCommand):
    """Runs the sweep of orphans now; the platform runs it every minute as well."""

    help = "Delist the versions whose app was deleted 30 days ago."

    def handle(self, *args: Any, **options: Any) -> None:
        """Sweep until nothing is left."""
        total = 0
        while count := delist_orphans():
            total += count
        self.stdout.write(f"Delisted {total} version{'' if total == 1 else 's'}.")
