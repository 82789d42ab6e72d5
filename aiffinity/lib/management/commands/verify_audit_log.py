"""Verify the hash chains of the audit log."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aiffinity.lib.audit import find_breaks


class Command(BaseCommand):
    """Name every audit entry whose content, order or predecessor was changed."""

    help = "Verifies the audit log; exits with 1 and names each broken entry."

    def handle(self, *args: Any, **options: Any) -> None:
        """Walk every chain."""
        broken = 0
        for entry in find_breaks():
            broken += 1
            self.stdout.write(f"broken: {entry.subject} #{entry.sequence} {entry.pk} ({entry.action})")
        if broken:
            raise CommandError(f"{broken} audit entries are broken.")
        self.stdout.write("The audit log is whole.")
