"""`manage.py run_health_checks`: check what is due now, or one app whether due or not."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from aiffinity.lib.errors import InvalidState
from runtime.health.loop import run_due_checks
from runtime.health.on_demand import check_health
from runtime.models import RuntimeApp


class Command(BaseCommand):
    """Does what the workers do every two seconds, in the foreground."""

    help = "Checks the health of every app whose turn has come, or of one app at once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take an app's id."""
        parser.add_argument("--app", metavar="ID", help="Check this app now, whether its turn has come or not.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was seen; a failing provider is no failure of the command."""
        if options["app"] is not None:
            self.check_one(options["app"])
            return
        checked = failed = 0
        # With many apps some are due at any moment: without an end the command would do the workers' job for good.
        has_more, began_at = True, timezone.now()
        while has_more:
            tally = run_due_checks(due_by=began_at)
            checked, failed, has_more = checked + tally.checked, failed + tally.failed, tally.has_left_some
        self.stdout.write(f"{checked} apps checked, {failed} of them failed.")

    def check_one(self, app_id: str) -> None:
        """Check one app; raises CommandError where there is none or it has no health URL."""
        runtime_app = RuntimeApp.objects.select_related("app").filter(pk=app_id, app__deleted_at=None).first()
        if runtime_app is None:
            raise CommandError(f"--app: there is no runtime app '{app_id}'.")
        try:
            check = check_health(runtime_app)
        except InvalidState as exc:
            raise CommandError(exc.message) from exc
        seen = "healthy" if check.is_healthy else check.error
        self.stdout.write(f"{app_id}: {seen} ({check.latency_ms} ms); status {runtime_app.health_status}")
