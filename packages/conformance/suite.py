"""Runs every check over a case, several at once, and turns the findings into a score."""

import logging
import time
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from django.db import connection

from packages.conformance.case import Case, OutOfTimeError
from packages.conformance.registry import CALLED_MODES, CHECKS, DIMENSION_WEIGHTS, Check, Finding, State, failed

logger = logging.getLogger(__name__)

PASSING_SCORE = 80
WORKERS = 6
HEARTBEAT_SECONDS = 1.0
# A call that began just before the run's time was up still gets this long.
GRACE_SECONDS = 8.0
OUT_OF_TIME = "The run's time was up before this could be asked. Answer faster, or split the package."


@dataclass(frozen=True)
class Job:
    """One check to ask, for the version or for one of its capabilities; its share of the dimension's weight."""

    check: Check
    weight: float
    index: int | None = None
    capability: dict[str, Any] | None = None

    def finding(self, case: Case) -> Finding:
        """Ask the check."""
        if self.check.for_version is not None:
            return self.check.for_version(case)
        if self.check.for_capability is None or self.capability is None:
            raise ValueError(f"The check {self.check.name} has no function.")
        return self.check.for_capability(case, self.capability)

    def render(self, finding: Finding) -> dict[str, Any]:
        """Return the finding as it is stored and answered."""
        prefix = "" if self.index is None else f"/capabilities/{self.index}"
        return {
            "check": self.check.name,
            "title": self.check.title,
            "dimension": self.check.dimension,
            "state": finding.state.value,
            "weight": round(self.weight, 4),
            "blocking": self.check.is_blocking,
            "capability": self.capability["name"] if self.capability else None,
            "message": finding.message,
            "pointer": f"{prefix}{finding.pointer}",
        }


def plan(case: Case) -> list[Job]:
    """List every job of a case; a check's weight is shared by the capabilities that it is asked for."""
    return [job for check in CHECKS.values() for job in _jobs_of(check, case)]


def ask_check(check: Check, case: Case) -> list[dict[str, Any]]:
    """Ask one check alone and return its rendered findings."""
    return [_ask(case, job) for job in _jobs_of(check, case)]


def count_steps(case: Case) -> int:
    """Return how many steps `run_suite` will report: the sampled capabilities and the jobs."""
    return len(_sampled(case)) + len(plan(case))


def run_suite(case: Case) -> Generator[list[dict[str, Any]], None, None]:
    """Yield rendered findings as they come, an empty list for a sampled capability or a mere sign of life.

    The generator yields at least once a second, so that its caller can renew its lease. It ends by itself at the
    case's deadline, whatever the provider does. Closing it early leaves the running calls to their time limits.
    """
    pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="conformance")
    try:
        # Calls that many checks look at come first, so that no check waits for another one.
        for sampled in _results(case, [pool.submit(_sample, case, item) for item in _sampled(case)]):
            yield [future.result() for future in sampled][:0]
        jobs = plan(case)
        futures = {pool.submit(_ask_in_thread, case, job): job for job in jobs}
        answered: set[Future[Any]] = set()
        for done in _results(case, list(futures)):
            answered |= done
            yield [future.result() for future in done]
        yield [job.render(failed(OUT_OF_TIME)) for future, job in futures.items() if future not in answered]
    finally:
        case.deadline = min(case.deadline, time.monotonic())
        pool.shutdown(wait=False, cancel_futures=True)


def score(findings: list[dict[str, Any]]) -> tuple[float | None, dict[str, Any]]:
    """Return the overall score of 0 to 100 and each dimension's; None where nothing could be judged.

    A dimension's score is the share of weight that passed; what is not applicable counts neither way.
    """
    dimensions: dict[str, Any] = {}
    for name, weight in DIMENSION_WEIGHTS.items():
        judged = [item for item in findings if item["dimension"] == name and item["state"] in (State.PASS, State.FAIL)]
        total = sum(item["weight"] for item in judged)
        good = sum(item["weight"] for item in judged if item["state"] == State.PASS)
        dimensions[name] = {"score": round(100 * good / total, 1) if total else None, "weight": weight}
    counted = [each for each in dimensions.values() if each["score"] is not None]
    weights = sum(each["weight"] for each in counted)
    overall = sum(each["score"] * each["weight"] for each in counted) / weights if weights else None
    return (None if overall is None else round(overall, 1)), dimensions


def has_passed(overall: float | None, findings: list[dict[str, Any]]) -> bool:
    """Say whether a run with this score and these findings passes."""
    is_blocked = any(item["blocking"] and item["state"] == State.FAIL for item in findings)
    return overall is not None and overall >= PASSING_SCORE and not is_blocked


def has_error(findings: list[dict[str, Any]]) -> bool:
    """Say whether a check could not be asked by the platform's own fault."""
    return any(item["state"] == State.ERROR for item in findings)


def _jobs_of(check: Check, case: Case) -> list[Job]:
    if check.for_version is not None:
        return [Job(check, check.weight)]
    concerned = [(index, item) for index, item in enumerate(case.capabilities) if item["mode"] in check.modes]
    return [Job(check, check.weight / len(concerned), index, item) for index, item in concerned]


def _sampled(case: Case) -> list[dict[str, Any]]:
    return [item for item in case.capabilities if item["mode"] in CALLED_MODES]


def _sample(case: Case, capability: dict[str, Any]) -> None:
    try:
        case.take_samples(capability)
    except OutOfTimeError:
        logger.info("run %s: no time left to sample %s", case.run_id, capability["name"])
    finally:
        connection.close()


def _ask(case: Case, job: Job) -> dict[str, Any]:
    try:
        finding = job.finding(case)
    except OutOfTimeError:
        finding = failed(OUT_OF_TIME)
    except Exception:
        logger.exception("run %s: the check %s could not be asked", case.run_id, job.check.name)
        finding = Finding(State.ERROR, "The platform could not ask this check; validate again.")
    return job.render(finding)


def _ask_in_thread(case: Case, job: Job) -> dict[str, Any]:
    try:
        return _ask(case, job)
    finally:
        connection.close()


def _results(case: Case, futures: list[Future[Any]]) -> Iterator[set[Future[Any]]]:
    """Yield the futures as they end, and an empty set each second, until all ended or the time is up."""
    pending = set(futures)
    while pending and time.monotonic() < case.deadline + GRACE_SECONDS:
        done, pending = wait(pending, timeout=HEARTBEAT_SECONDS, return_when=FIRST_COMPLETED)
        yield done
