"""`manage.py purge_expired`: delete everything whose time is over."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aiffinity.lib.retention import purge_all


class Command(BaseCommand):
    """Does now what the platform does once an hour."""

    help = "Deletes everything that is kept for a limited time only, in batches, and prints what it removed."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each kind of row; exit with 1 where the database failed one."""
        failed = 0
        for purged in purge_all():
            failed += purged.deleted is None
            told = "failed, see the log" if purged.deleted is None else f"{purged.deleted} deleted"
            self.stdout.write(f"{purged.name}: {told}")
        if failed:
            raise CommandError(f"{failed} of the purges failed.")
