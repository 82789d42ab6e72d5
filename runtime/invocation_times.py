"""When an app was last called: a figure that the capabilities room pushes down (spec 5 "Which room may know which")."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F
from django.db.models.functions import Greatest

from runtime.models import RuntimeApp


def note_invocations(calls: Iterable[tuple[str, datetime]]) -> None:
    """Move `last_invocation_at` of each app forward to its newest call; `calls` are pairs of app id and time.

    Apps are taken in the order of their ids, so that two writers never wait for each other in a circle.
    """
    newest: dict[str, datetime] = {}
    for app_id, called_at in calls:
        newest[app_id] = max(called_at, newest.get(app_id, called_at))
    for app_id in sorted(newest):
        RuntimeApp.objects.filter(pk=app_id).update(
            last_invocation_at=Greatest(F("last_invocation_at"), newest[app_id])
        )
