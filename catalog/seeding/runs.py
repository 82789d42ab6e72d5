"""Made-up validation runs: the suite's own checks with an end for each, without calling anybody."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from aiffinity.lib.ids import new_id
from catalog.seeding.companies import Company
from catalog.seeding.fields import Theme
from catalog.seeding.shapes import Shape
from packages.conformance.case import Case
from packages.conformance.registry import Finding, failed, passed
from packages.conformance.suite import Job, plan, score
from packages.models import Package, RunState, ValidationRun, Version

VARIANTS = 4
# In these dimensions even a good provider now and then misses a check.
_SOMETIMES_FAILED = ("performance", "reliability", "guidance")


@dataclass(frozen=True)
class Result:
    """How a run ended."""

    score: float | None
    dimensions: dict[str, Any]
    checks: list[dict[str, Any]]


class RunMaker:
    """Makes runs; what the suite would ask is worked out once for each theme and set of modes."""

    def __init__(self) -> None:
        self._results: dict[tuple[Theme, tuple[str, ...]], list[Result]] = {}

    def make(self, rng: Random, company: Company, shape: Shape, version: Version, *, is_full: bool) -> ValidationRun:
        """Return the unsaved run that a version passed before its submission; without `is_full` scores alone."""
        result = rng.choice(self._results_of(company, shape))
        finished_at = (version.first_submitted_at or version.created_at) - timedelta(minutes=rng.randint(1, 90))
        return ValidationRun(
            version=version,
            state=RunState.PASSED,
            content_hash=version.content_hash,
            score=result.score,
            dimensions=result.dimensions,
            checks=result.checks if is_full else [],
            checks_done=len(result.checks),
            checks_total=len(result.checks),
            attempts_made=1,
            created_at=finished_at - timedelta(seconds=9),
            started_at=finished_at - timedelta(seconds=8),
            finished_at=finished_at,
        )

    def _results_of(self, company: Company, shape: Shape) -> list[Result]:
        key = (shape.theme, shape.modes)
        if key not in self._results:
            jobs = _plan(company, shape)
            self._results[key] = [_result(jobs, variant) for variant in range(VARIANTS)]
        return self._results[key]


def _plan(company: Company, shape: Shape) -> list[Job]:
    version = Version(package=Package(app=company.app), capabilities=company.content_of(shape).capabilities)
    return plan(Case(version=version, runtime_app=company.runtime_app, run_id=new_id("run")))


def _result(jobs: list[Job], variant: int) -> Result:
    """End the jobs of a plan: all pass, but in each variant some of those that are not blocking."""
    ended = [job.render(_finding(job, place, variant)) for place, job in enumerate(jobs)]
    overall, dimensions = score(ended)
    return Result(overall, dimensions, ended)


def _finding(job: Job, place: int, variant: int) -> Finding:
    is_missed = job.check.dimension in _SOMETIMES_FAILED and not job.check.is_blocking and place % 13 == variant - 1
    return failed(f"This did not hold: {job.check.title}") if is_missed else passed(job.check.title)
