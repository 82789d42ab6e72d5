"""`manage.py replay_webhooks`: send an app's events once more."""

import difflib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from aiffinity.lib.errors import PlatformError
from runtime.deliveries.recovering import count_replayable, replay_since
from runtime.event_types import EVENT_TYPES
from runtime.models import WebhookEndpoint

ACTOR = "command:replay_webhooks"
_AGO = re.compile(r"\A([0-9]{1,6})([smhd])\Z")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Command(BaseCommand):
    """Have every delivery of events posted since a moment sent again, with the ids and bodies of before."""

    help = "Sends an app's webhook events since a moment once more; what is still pending goes its own way."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take app, time and filters."""
        parser.add_argument("--app", required=True, metavar="ID", help="The app, such as app_01J8….")
        parser.add_argument("--since", required=True, metavar="WHEN", help="2026-04-04T10:00:00Z, or 90m, 24h, 7d ago.")
        parser.add_argument("--event", default="", metavar="TYPE", help="Events of this type alone.")
        parser.add_argument("--failed-only", action="store_true", help="Leave out what was delivered.")
        parser.add_argument("--dry-run", action="store_true", help="Count, and send nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Have workers do it and print how many there are; exit with 1 and say why where it can't be."""
        since, event_type = read_moment(options["since"], now=timezone.now()), options["event"]
        if event_type and event_type not in EVENT_TYPES:
            near = difflib.get_close_matches(event_type, EVENT_TYPES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(EVENT_TYPES)}."
            raise CommandError(f"--event: there is no event type '{event_type}'; {hint}")
        endpoint = find_endpoint(options["app"])
        chosen = {"since": since, "event_type": event_type, "is_failed_only": options["failed_only"]}
        if options["dry_run"]:
            count = count_replayable(endpoint, **chosen)
            self.stdout.write(f"{count} deliveries to {endpoint.pk} since {since.isoformat()} would be sent again")
            return
        try:
            recovery = replay_since(endpoint, actor=ACTOR, **chosen)
        except PlatformError as error:
            raise CommandError(f"--app: {error.message}") from None
        told = recovery.describe_count()
        self.stdout.write(f"{told} deliveries to {endpoint.pk} since {since.isoformat()} are sent again by the workers")
        self.stdout.write(f"{recovery.pk} in the staff console shows how far it is")


def find_endpoint(app_id: str) -> WebhookEndpoint:
    """Return an app's endpoint; raises CommandError where there is none."""
    endpoint = WebhookEndpoint.objects.select_related("runtime_app__app").filter(pk=app_id).first()
    if endpoint is None:
        raise CommandError(f"--app: there is no app '{app_id}' with a webhook profile.")
    return endpoint


def read_moment(text: str, *, now: datetime) -> datetime:
    """Read an ISO 8601 time (UTC without an offset) or a time ago; raises CommandError for all else and the future."""
    ago = _AGO.match(text)
    try:
        moment = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}) if ago else parse_datetime(text)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise CommandError(f"--since: '{text}' is no time; write 2026-04-04T10:00:00Z, or 90m, 24h or 7d.")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > now:
        raise CommandError(f"--since: {moment.isoformat()} lies in the future.")
    return moment
