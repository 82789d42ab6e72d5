"""Background work of the packages room: each task calls one verb; the database says what is due."""

from celery import shared_task

from aiffinity.lib.wakeups import wake
from packages import listing, suspension
from packages.conformance import runner
from packages.reviewing import claims, re_reviews


@shared_task
def run_validation(run_id: str) -> None:
    """Work through one validation run."""
    runner.run_validation(run_id)


@shared_task
def resume_validation_runs() -> None:
    """Wake a worker for every open run that nobody works on."""
    for run_id in runner.wanting_runs():
        wake("packages.tasks.run_validation", run_id)


@shared_task
def list_submitted_versions() -> None:
    """List what passes all gates and needs no reviewer."""
    listing.list_submitted_versions()


@shared_task
def expire_claims_and_approvals() -> None:
    """Put versions back whose claim or approval has expired, and delist what was orphaned for 30 days."""
    claims.release_expired_claims()
    suspension.lapse_approvals()
    suspension.delist_orphans()


@shared_task
def open_re_reviews() -> None:
    """Put before reviewers what changed after its approval."""
    re_reviews.open_re_reviews()
