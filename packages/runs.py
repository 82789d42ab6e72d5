"""Reading validation runs: which one counts for a version."""

from django.db.models import F
from django.utils import timezone

from packages.models import RunState, ValidationRun, Version

OPEN_RUN_STATES = (RunState.QUEUED, RunState.RUNNING)


def newest_run(version: Version) -> ValidationRun | None:
    """Return the newest run of a version that has ended, whatever its end."""
    ended = ValidationRun.objects.filter(version=version).exclude(state__in=OPEN_RUN_STATES)
    return ended.order_by("-created_at", "-pk").first()


def open_run(version: Version) -> ValidationRun | None:
    """Return the version's run that has not ended yet; there is at most one."""
    return ValidationRun.objects.filter(version=version, state__in=OPEN_RUN_STATES).first()


def has_passed(version: Version) -> bool:
    """Say whether the newest run passed and was of exactly the content that the version has now."""
    run = newest_run(version)
    return run is not None and run.state == RunState.PASSED and run.content_hash == version.content_hash


def cancel_open_run(version: Version) -> None:
    """End the version's open run, whose content is not the version's any more; a worker on it finds its fence gone."""
    ValidationRun.objects.filter(version=version, state__in=OPEN_RUN_STATES).update(
        state=RunState.ERRORED,
        error="The version was edited while the run was open; validate again.",
        finished_at=timezone.now(),
        fence=F("fence") + 1,
    )
