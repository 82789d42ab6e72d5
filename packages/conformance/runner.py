"""Running a validation: claimed by lease, fenced, with progress, ended in one transaction (spec 3, spec 6).

A worker that is killed leaves a run whose lease ends; the sweep wakes another one, at most three times in all.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from packages.conformance import suite
from packages.conformance.case import Case
from packages.guards import SYSTEM
from packages.models import Package, RunState, ValidationRun, Version, VersionState
from packages.runs import OPEN_RUN_STATES
from packages.states import Verb, transition
from runtime.models import RuntimeApp

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=15)
PICKED_UP_AFTER = timedelta(seconds=10)
MAX_ATTEMPTS = 3
SWEEP_BATCH = 50
GAVE_UP = "The run was broken off three times by the platform; validate again."
PLATFORM_FAULT = "The platform could not ask every check; validate again."
NO_RUNTIME = "The app has no runtime; register it and validate again."


class LostLeaseError(Exception):
    """Another worker has the run, or it was cancelled."""


@dataclass(frozen=True)
class Claim:
    """A worker's hold on a run; every write names the fence."""

    run_id: str
    fence: int

    def write(self, **values: Any) -> None:
        """Write to the run and renew the lease. Raises LostLeaseError where another has it."""
        held = ValidationRun.objects.filter(pk=self.run_id, fence=self.fence, state=RunState.RUNNING)
        if held.update(**{"lease_until": timezone.now() + LEASE, **values}) == 0:
            raise LostLeaseError


def run_validation(run_id: str) -> None:
    """Take a run that nobody works on through the suite to its end; does nothing where there is none."""
    claim = claim_run(run_id)
    if claim is None:
        return
    run = ValidationRun.objects.select_related("version__package__app", "version__package__account").get(pk=run_id)
    runtime_app = RuntimeApp.objects.select_related("app").filter(pk=run.version.package.app_id).first()
    try:
        if runtime_app is None:
            end_run(claim, run.version, [], error=NO_RUNTIME)
            return
        case = Case(version=run.version, runtime_app=runtime_app, run_id=run_id)
        end_run(claim, run.version, _work_through(claim, case))
    except LostLeaseError:
        logger.info("the validation run %s was taken over or cancelled", run_id)


def claim_run(run_id: str) -> Claim | None:
    """Claim an open run that no worker holds, or None."""
    now = timezone.now()
    free = ValidationRun.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), pk=run_id)
    claimed = free.filter(state__in=OPEN_RUN_STATES, attempts_made__lt=MAX_ATTEMPTS).update(
        state=RunState.RUNNING,
        lease_until=now + LEASE,
        fence=F("fence") + 1,
        attempts_made=F("attempts_made") + 1,
        checks_done=0,
        started_at=Coalesce("started_at", now),
    )
    if claimed == 0:
        return None
    return Claim(run_id, ValidationRun.objects.values_list("fence", flat=True).get(pk=run_id))


def end_run(claim: Claim, version: Version, findings: list[dict[str, Any]], *, error: str = "") -> None:
    """Write a run's end and take a draft that passed on to validated. Raises LostLeaseError."""
    overall, dimensions = suite.score(findings)
    if suite.has_error(findings):
        error = PLATFORM_FAULT
    has_passed = not error and suite.has_passed(overall, findings)
    state = RunState.ERRORED if error else RunState.PASSED if has_passed else RunState.FAILED
    with transaction.atomic():
        # The package's lock comes first here as everywhere, so that an edit can't slip in between.
        Package.objects.select_for_update(no_key=True).filter(pk=version.package_id).exists()
        claim.write(
            state=state,
            score=None if error else overall,
            dimensions={} if error else dimensions,
            checks=findings,
            checks_done=F("checks_total"),
            error=error,
            finished_at=timezone.now(),
            lease_until=None,
        )
        if has_passed:
            _mark_validated(version)


def wanting_runs() -> list[str]:
    """Return the open runs that no worker works on, after ending those that were tried often enough."""
    now = timezone.now()
    forgotten = Q(lease_until__lt=now) | Q(lease_until=None, created_at__lt=now - PICKED_UP_AFTER)
    found = ValidationRun.objects.filter(forgotten, state__in=OPEN_RUN_STATES)
    found.filter(attempts_made__gte=MAX_ATTEMPTS).update(
        state=RunState.ERRORED, error=GAVE_UP, finished_at=now, lease_until=None, fence=F("fence") + 1
    )
    return list(found.order_by("created_at").values_list("pk", flat=True)[:SWEEP_BATCH])


def _work_through(claim: Claim, case: Case) -> list[dict[str, Any]]:
    claim.write(checks_total=suite.count_steps(case))
    findings: list[dict[str, Any]] = []
    steps = suite.run_suite(case)
    try:
        for batch in steps:
            findings += batch
            claim.write(checks_done=len(findings))
    finally:
        steps.close()
    return findings


def _mark_validated(version: Version) -> None:
    current = Version.objects.get(pk=version.pk)
    is_waiting = current.state in (VersionState.DRAFT, VersionState.CHANGES_REQUESTED)
    if not is_waiting or current.content_hash != version.content_hash:
        return
    transition(current, Verb.PASS_VALIDATION, SYSTEM)
