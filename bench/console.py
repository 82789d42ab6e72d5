"""The review console with thousands of open versions: `python -m bench.console [--packages N]`.

Seeds a catalog of its own, then opens queue and review pages as a reviewer, through the whole middleware.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from bench.figures import Bar, measure_ms, p50, p95, report
from bench.platforms import platform

TIER = "action_capable"
TIMES = 40
QUEUE_QUERIES, QUEUE_MS = 15, 300
REVIEW_QUERIES = 30
REVIEWS_A_TIER = 10
OTHER_PACKAGES = 300
HELD = 30


class Desk:
    """A reviewer's session."""

    def __init__(self) -> None:
        from django.contrib.auth.models import Group
        from django.test import Client

        from providers.models import User

        self.user = User.objects.create_user("rita@staff.example", None, is_staff=True)
        self.user.groups.add(Group.objects.get(name="security_reviewer"))
        self.client = Client()
        self.client.force_login(self.user, backend="django.contrib.auth.backends.ModelBackend")

    def hold_some(self, reviews: int) -> None:
        """Hold the claims on the last cases of the queue."""
        from django.utils import timezone

        from packages.models import Review
        from packages.reviewing.claims import CLAIM_LASTS

        held = Review.objects.queue(TIER).reverse().values_list("pk", flat=True)[:reviews]
        Review.objects.filter(pk__in=list(held)).update(
            claimed_by=self.user, claim_expires_at=timezone.now() + CLAIM_LASTS
        )

    def open(self, path: str) -> str:
        """Open a page."""
        answer = self.client.get(path)
        if answer.status_code != 200:
            sys.exit(f"{path} answered {answer.status_code}.")
        return str(answer.content.decode())

    def queries(self, path: str) -> int:
        """Return how many queries a page takes."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            self.open(path)
        return len(captured)


def seed(packages: int) -> None:
    """Fill the tier's queue, and put a few of every tier into the others."""
    from django.core.management import call_command

    call_command("seed_catalog", packages=packages, state="submitted", tier=[TIER], verbosity=0, stdout=sys.stderr)
    call_command("seed_catalog", packages=OTHER_PACKAGES, seed=2, stdout=sys.stderr)


def queue_paths() -> dict[str, str]:
    """Return the queue pages to open: places, filters and searches."""
    from packages.console.queue import PAGE_SIZE, SHOWS
    from packages.models import Review

    queue = f"/admin/packages/review/queue/{TIER}/"
    pages = -(-Review.objects.queue(TIER).count() // PAGE_SIZE)
    some = Review.objects.queue(TIER)[PAGE_SIZE]
    company = some.version.package.account.company_name
    return {
        "first page": queue,
        f"page {pages // 2}": f"{queue}?page={pages // 2}",
        f"last page, {pages}": f"{queue}?page={pages}",
        **{f"show {each}": f"{queue}?show={each}" for each in SHOWS if each != "all"},
        "show unclaimed, page 100": f"{queue}?show=unclaimed&page=100",
        "kind submission": f"{queue}?kind=submission",
        "search a common word": f"{queue}?q=Pro",
        "search a company": f"{queue}?q={company}",
        "search an id": f"{queue}?q={some.pk}",
        "search nothing known": f"{queue}?q=nothing-of-this-name",
    }


def review_paths(tier: str) -> list[str]:
    """Return review pages of a tier, those of the most urgent cases."""
    from packages.models import Review

    return [f"/admin/packages/review/{review.pk}/change/" for review in Review.objects.queue(tier)[:REVIEWS_A_TIER]]


def measure(desk: Desk) -> list[Bar]:
    """Open every page many times."""
    from packages.models import RiskTier

    bars = []
    for name, path in queue_paths().items():
        taken = measure_ms(lambda path=path: desk.open(path), TIMES)  # type: ignore[misc]
        bars.append(Bar(f"{name}, median", p50(taken), QUEUE_MS, "ms"))
        bars.append(Bar(f"{name}, p95", p95(taken), QUEUE_MS, "ms"))
        bars.append(Bar(f"{name}, queries", desk.queries(path), QUEUE_QUERIES, "queries"))
    for tier in RiskTier:
        paths = review_paths(tier)
        taken = [each for path in paths for each in measure_ms(lambda path=path: desk.open(path), 3)]  # type: ignore[misc]
        print(f"  {len(paths)} review pages of {tier}: median {p50(taken):.0f} ms, p95 {p95(taken):.0f} ms")
        bars.append(Bar(f"review of {tier}, most queries", max(map(desk.queries, paths)), REVIEW_QUERIES, "queries"))
    return bars


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; the status is 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="bench.console", description=__doc__)
    parser.add_argument("--packages", type=int, default=10_000)
    options: Any = parser.parse_args(arguments)
    with platform():
        seed(options.packages)
        desk = Desk()
        desk.hold_some(HELD)
        bars = measure(desk)
    return report(f"Review console: {options.packages} open versions in one queue, {TIMES} times a page", bars)


if __name__ == "__main__":
    sys.exit(main())
