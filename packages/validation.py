"""Starting validation runs and waiting for them (spec 2 "validate", spec 3 "Conformance suite")."""

import time

from django.db import connection, transaction

from aiffinity.lib.errors import InvalidState
from aiffinity.lib.views import get_owned
from aiffinity.lib.wakeups import wake_on_commit
from packages.models import Package, ValidationRun, Version, VersionState
from packages.runs import OPEN_RUN_STATES, open_run

POLL_SECONDS = 0.2
WAIT_SECONDS = 30


def start_validation(version: Version) -> ValidationRun:
    """Return the version's open run, making one if there is none and waking a worker for it.

    Raises INVALID_STATE (409) for a rejected version.
    """
    with transaction.atomic():
        Package.objects.get_locked(version.package_id)
        current = Version.objects.get(pk=version.pk)
        if current.state == VersionState.REJECTED:
            raise InvalidState("A version in state 'rejected' can't be validated; make a new version.")
        run = open_run(current)
        if run is None:
            run = ValidationRun.objects.create(version=current, content_hash=current.content_hash)
            wake_on_commit("packages.tasks.run_validation", run.pk)
    return run


def wait_for_run(run: ValidationRun, *, seconds: float = WAIT_SECONDS) -> ValidationRun:
    """Return the run as soon as it has ended, or as it stands when the time is up; NotFound once it is deleted.

    Between looks the database connection is back in its pool. No transaction may be open.
    """
    give_up_at = time.monotonic() + seconds
    while True:
        run = get_owned(ValidationRun.objects.all(), run.pk)
        if run.state not in OPEN_RUN_STATES or time.monotonic() >= give_up_at:
            return run
        connection.close()
        time.sleep(POLL_SECONDS)
