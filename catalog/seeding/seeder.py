"""Fills the catalog in batches: companies first, then packages with their versions, runs and cases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from django.db import transaction
from django.utils import timezone

from catalog.seeding.cases import CaseMaker
from catalog.seeding.companies import Company, company_count, first_entry, make_companies, save_companies
from catalog.seeding.histories import TIER_WEIGHTS, History, Step, make_history
from catalog.seeding.listings import make_package
from catalog.seeding.runs import RunMaker
from catalog.seeding.shapes import MODES_OF_TIER, Shape, bump_between
from catalog.seeding.staff import find_or_make_staff
from catalog.seeding.writing import Rows, analyse, make_slugs_unique, write
from packages.models import Package, RiskTier, Version, VersionState
from packages.numbers import next_number
from packages.policy import LISTED_ONCE
from runtime.auth_profiles import config_parts

BATCH = 500
_CHANGES = ("First version.", "Clearer description.", "Says where figures come from.", "Sharing.", "A leaner answer.")


@dataclass(frozen=True)
class Wanted:
    """What to make: so many packages, in which situations (`catalog.seeding.histories.MIXES`) and tiers."""

    packages: int
    seed: int = 1
    mix: str = "mix"
    tiers: tuple[RiskTier, ...] = tuple(RiskTier)


Progress = Callable[[int], None]


def seed_catalog(wanted: Wanted, *, progress: Progress | None = None) -> int:
    """Make packages and return how many versions they have.

    The same seed on the same database makes the same companies, texts, states and figures; ids, secrets and
    moments differ. Batches are transactions of their own: what was reported to `progress` stays. No event is posted
    and no mail written. Every tier's rows obey the rules that the verbs keep.
    """
    seeder = _Seeder(wanted)
    made = 0
    for first in range(0, wanted.packages, BATCH):
        last = min(first + BATCH, wanted.packages)
        made += seeder.make_batch(range(first, last))
        if progress is not None:
            progress(last)
    analyse()
    return made


class _Seeder:
    """Keeps what all batches share."""

    def __init__(self, wanted: Wanted) -> None:
        # Made-up names and figures need no unpredictable randomness, they need the same one again.
        self.rng = Random(wanted.seed)  # noqa: S311
        self.wanted, self.now = wanted, timezone.now()
        with transaction.atomic():
            self.staff = find_or_make_staff()
            self.companies = make_companies(self.rng, company_count(wanted.packages), self.now)
            save_companies(self.companies)
        self.runs = RunMaker()
        self.cases = CaseMaker(self.rng, self.staff, self.now)

    def make_batch(self, numbers: range) -> int:
        """Make and write the packages of some numbers; returns how many versions they have."""
        rows = Rows()
        for number in numbers:
            self._add_package(rows, number)
        with transaction.atomic():
            make_slugs_unique(rows.packages)
            write(rows)
        return len(rows.versions)

    def _add_package(self, rows: Rows, number: int) -> None:
        lap, place = divmod(number, len(self.companies))
        company = self.companies[place]
        weights = [TIER_WEIGHTS[tier] for tier in self.wanted.tiers]
        [tier] = self.rng.choices(self.wanted.tiers, weights)
        history = make_history(self.rng, self.wanted.mix, tier, self.now)
        package = make_package(self.rng, company, lap, history)
        rows.packages.append(package)
        rows.audit.append(first_entry(package.pk, "package.seeded", self.now))
        modes = self.rng.choice(MODES_OF_TIER[tier])
        shapes = [Shape(company.theme, tier, modes, step.stage) for step in history.steps]
        versions = [_version(company, package, shape, step) for shape, step in zip(shapes, history.steps, strict=True)]
        _number(versions, shapes)
        for shape, step, version in zip(shapes, history.steps, versions, strict=True):
            self._add_version(rows, company, shape, version, is_open=step is history.open_step)
        self._add_cases(rows, company, history, versions)

    def _add_version(self, rows: Rows, company: Company, shape: Shape, version: Version, *, is_open: bool) -> None:
        rows.versions.append(version)
        rows.audit.append(
            first_entry(
                version.pk, "version.seeded", self.now, to_state=version.state, content_hash=version.content_hash
            )
        )
        if version.state != VersionState.DRAFT:
            rows.runs.append(self.runs.make(self.rng, company, shape, version, is_full=is_open))

    def _add_cases(self, rows: Rows, company: Company, history: History, versions: Sequence[Version]) -> None:
        config_hash = company.runtime_app.config_hash
        self.cases.add_trust(rows.cases, versions[0])
        for step, version in zip(history.steps, versions, strict=True):
            if version.state in LISTED_ONCE:
                self.cases.add_decided(rows.cases, version, config_hash)
            elif version.state != VersionState.DRAFT:
                self.cases.add_open(rows.cases, version, config_hash, stage=step.stage)
        if history.situation == "renamed":
            self.cases.add_listing_change(rows.cases, versions[-1])


def _version(company: Company, package: Package, shape: Shape, step: Step) -> Version:
    content = company.content_of(shape)
    is_submitted = step.state != VersionState.DRAFT
    version = Version(
        package=package,
        risk_tier=shape.tier,
        state=step.state,
        capabilities=content.capabilities,
        content_hash=content.content_hash,
        changelog=_CHANGES[step.stage],
        submitted_by=company.owner if is_submitted else None,
        first_submitted_at=step.submitted_at if is_submitted else None,
        submitted_at=step.submitted_at if is_submitted else None,
        listed_at=step.listed_at,
        suspended_by="reviewer" if step.state == VersionState.SUSPENDED else "",
        created_at=step.submitted_at - timedelta(days=1),
    )
    if step.listed_at is not None:
        version.approved_at = step.listed_at - timedelta(minutes=5)
        version.approved_content_hash = content.content_hash
        version.approved_config_hash = company.runtime_app.config_hash
        version.approved_config = config_parts(company.runtime_app)
    return version


def _number(versions: Sequence[Version], shapes: Sequence[Shape]) -> None:
    """Give each version the number that its changes ask for."""
    taken: list[str] = []
    for place, version in enumerate(versions):
        bump = bump_between(shapes[place - 1], shapes[place]) if place else "minor"
        version.version = next_number(taken, bump)
        taken.append(version.version)
