"""`manage.py seed_catalog --packages N`: fill the catalog and the review queues with made-up content."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.seeding.histories import MIXES
from catalog.seeding.seeder import Wanted, seed_catalog
from packages.models import RiskTier

MOST_PACKAGES = 1_000_000
MOST_SEED = 2**31


class Command(BaseCommand):
    """Makes companies, packages, versions in every state, runs and review cases; a second call adds more."""

    help = (
        "Fill the catalog and the review queues with made-up companies and packages, for demonstrations and"
        " benchmarks. Running it again adds further ones. Providers' addresses end in .example, so calls to them fail."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how much of what to make."""
        parser.add_argument("--packages", type=int, required=True, metavar="N", help="How many packages to add.")
        parser.add_argument(
            "--seed", type=int, default=1, help="The same seed on the same database makes the same content."
        )
        parser.add_argument(
            "--state",
            choices=sorted(MIXES),
            default="mix",
            help="listed: every package is listed and nothing waits; submitted: each has a version in a review queue;"
            " mix: mostly listed ones, every other state among them.",
        )
        parser.add_argument(
            "--tier", action="append", choices=RiskTier.values, help="Only this risk tier; may be given repeatedly."
        )
        parser.add_argument("--force", action="store_true", help="Also where AIFFINITY_ENVIRONMENT isn't development.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, telling how far it is."""
        if settings.ENVIRONMENT != "development" and not options["force"]:
            raise CommandError(
                f"--force: this is a {settings.ENVIRONMENT} deployment, and made-up companies, reviewers and packages"
                " can't be told from real ones there, nor taken out again. Give --force if that is what you want."
            )
        self._started_at, self._wanted = time.monotonic(), self._read(options)
        versions = seed_catalog(self._wanted, progress=self._tell)
        seconds = time.monotonic() - self._started_at
        self.stdout.write(f"Added {self._wanted.packages} packages with {versions} versions in {seconds:.1f} s.")

    def _read(self, options: dict[str, Any]) -> Wanted:
        if not 1 <= options["packages"] <= MOST_PACKAGES:
            raise CommandError(f"--packages: give a number from 1 to {MOST_PACKAGES}.")
        if not 0 <= options["seed"] < MOST_SEED:
            raise CommandError(f"--seed: give a number from 0 to {MOST_SEED - 1}.")
        tiers = tuple(tier for tier in RiskTier if tier in (options["tier"] or RiskTier.values))
        return Wanted(options["packages"], options["seed"], options["state"], tiers)

    def _tell(self, done: int) -> None:
        seconds = time.monotonic() - self._started_at
        self.stdout.write(f"{done} of {self._wanted.packages} packages, {seconds:.1f} s")
