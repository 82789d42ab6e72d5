"""`manage.py backtest_check NAME`: who would newly fail a conformance check."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from packages.conformance.backtest import backtest_check
from packages.conformance.registry import CHECKS


class Command(BaseCommand):
    """Ask one conformance check of every listed version."""

    help = "Run one conformance check over all listed versions and say who would newly fail."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the check's name."""
        parser.add_argument("name", metavar="NAME", help="A check of docs/conformance.md.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each version that fails and a closing line with the counts."""
        if options["name"] not in CHECKS:
            raise CommandError(f"There is no check '{options['name']}'. Known: {', '.join(sorted(CHECKS))}.")
        asked = failing = newly = 0
        for result in backtest_check(options["name"]):
            asked += 1
            if result.state == "fail":
                failing += 1
                newly += result.is_newly_failing
                mark = "newly fails" if result.is_newly_failing else "fails as before"
                version = result.version
                self.stdout.write(f"{mark}: {version.package.slug} {version.version} ({version.pk})")
                for message in result.messages:
                    self.stdout.write(f"  {message}")
        self.stdout.write(f"{asked} listed versions asked, {failing} fail, {newly} of them newly.")
