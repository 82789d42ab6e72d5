"""What happened to a made-up package so far: which versions it has, in which states, since when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from catalog.seeding.shapes import BASE, BROKEN, EXTENDED, REWORDED, WIDENED
from packages.models import RiskTier, VersionState
from packages.reviewing.deadlines import due_at

# How many of a hundred packages are in which situation.
MIXES: dict[str, dict[str, int]] = {
    "mix": {
        "listed": 60,
        "updating": 24,
        "new": 6,
        "returned": 3,
        "renamed": 2,
        "drafted": 3,
        "suspended": 1,
        "deprecated": 1,
    },
    "listed": {"listed": 100},
    "submitted": {"updating": 75, "new": 25},
}
TIER_WEIGHTS = {
    RiskTier.DATA_ONLY: 50,
    RiskTier.ACTION_CAPABLE: 35,
    RiskTier.HIGH_TRUST: 10,
    RiskTier.STRATEGIC_SURFACE: 5,
}
# Nothing of these is ever before a reviewer in the tier that the system lists by itself.
_WITHOUT_REVIEW = {"new": "updating", "renamed": "listed"}
_LAST_STATE = {
    "updating": VersionState.SUBMITTED,
    "new": VersionState.SUBMITTED,
    "returned": VersionState.CHANGES_REQUESTED,
    "drafted": VersionState.DRAFT,
}
_GROWTH = (BASE, REWORDED, EXTENDED)
CLAIMED_SHARE = 0.12


@dataclass(frozen=True)
class Step:
    """One version: its stage, its state, when it was submitted and, where that came about, listed."""

    stage: int
    state: VersionState
    submitted_at: datetime
    listed_at: datetime | None = None


@dataclass(frozen=True)
class History:
    """A package's situation and its versions, the oldest first."""

    situation: str
    steps: tuple[Step, ...]

    @property
    def open_step(self) -> Step | None:
        """The version that reviewers or the provider work on."""
        return self.steps[-1] if self.situation in _LAST_STATE else None


def make_history(rng: Random, mix: str, tier: RiskTier, now: datetime) -> History:
    """Return what happened to a package of a tier."""
    weights = MIXES[mix]
    [situation] = rng.choices(list(weights), list(weights.values()))
    if tier == RiskTier.DATA_ONLY:
        situation = _WITHOUT_REVIEW.get(situation, situation)
    past = () if situation == "new" else _listed_steps(rng, situation, tier, now)
    if situation not in _LAST_STATE:
        return History(situation, past)
    grown_to = past[-1].stage if past else None
    return History(situation, (*past, _open_step(rng, _LAST_STATE[situation], tier, grown_to, now)))


def _listed_steps(rng: Random, situation: str, tier: RiskTier, now: datetime) -> tuple[Step, ...]:
    stages = _GROWTH[: rng.choices((1, 2, 3), (50, 35, 15))[0]]
    days_ago = sorted((rng.uniform(12, 700) for _ in stages), reverse=True)
    steps = []
    for stage, days in zip(stages, days_ago, strict=True):
        listed_at = now - timedelta(days=days)
        waited = timedelta(minutes=4) if tier == RiskTier.DATA_ONLY else timedelta(hours=rng.triangular(1, 70, 20))
        steps.append(Step(stage, VersionState.SUPERSEDED, listed_at - waited, listed_at))
    last = {"suspended": VersionState.SUSPENDED, "deprecated": VersionState.SUPERSEDED}.get(
        situation, VersionState.LISTED
    )
    steps[-1] = Step(steps[-1].stage, last, steps[-1].submitted_at, steps[-1].listed_at)
    return tuple(steps)


def _open_step(rng: Random, state: VersionState, tier: RiskTier, grown_to: int | None, now: datetime) -> Step:
    """Make the version that waits; of the lowest tier only what widens or breaks waits for a reviewer."""
    promised = due_at(tier, now) - now
    submitted_at = now - promised * rng.triangular(0, 1.4, 0.3)
    if state == VersionState.SUBMITTED and rng.random() < CLAIMED_SHARE:
        state = VersionState.IN_REVIEW
    if grown_to is None:
        return Step(BASE, state, submitted_at)
    stages = (WIDENED, BROKEN) if tier == RiskTier.DATA_ONLY else (REWORDED, EXTENDED, WIDENED, WIDENED, BROKEN)
    return Step(rng.choice([stage for stage in stages if stage > grown_to]), state, submitted_at)
