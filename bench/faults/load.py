"""Providers who go on calling the API while something fails: what was acknowledged, refused and lost."""

import contextlib
import http.client as plain_http
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.faults.world import World

CALLERS = 4
CALLS_PER_SECOND = 40
TIMEOUT_SECONDS = 30


@dataclass
class Load:
    """What the callers saw; an acknowledged call promises one event, whose delivery's id is kept."""

    delivery_ids: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    unanswered: int = 0
    taken_seconds: list[float] = field(default_factory=list)

    @property
    def server_errors(self) -> int:
        """Return how many answers were a 5xx other than 503, or a 503 that doesn't say when to come back."""
        return sum(count for status, count in self.statuses.items() if status >= 500 and status != 503) + (
            self.without_retry_after
        )

    def note(self, response: plain_http.HTTPResponse, body: bytes) -> None:
        """Count one answer."""
        self.statuses[response.status] += 1
        if response.status == 202:
            self.delivery_ids.append(json.loads(body)["data"]["id"])
        elif response.status == 503 and response.headers["Retry-After"] is None:
            self.without_retry_after += 1


@contextlib.contextmanager
def load(world: World, app_ids: list[str]) -> Iterator[Load]:
    """Have some callers send test pings of the apps, at a steady pace, until the block ends."""
    paths = itertools.cycle(list(_calls(app_ids)))
    seen, stopped, lock = Load(), threading.Event(), threading.Lock()

    def call_on() -> None:
        while not stopped.wait(CALLERS / CALLS_PER_SECOND):
            with lock:
                path, token = next(paths)
            _call(world.port, path, token, seen, lock)

    callers = [threading.Thread(target=call_on, daemon=True) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    try:
        yield seen
    finally:
        stopped.set()
        for caller in callers:
            caller.join(TIMEOUT_SECONDS)


def _calls(app_ids: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each app's path with an ID token of its owner."""
    from providers.identity.local import sign_id_token
    from providers.models import App

    tokens: dict[str, str] = {}
    for app in App.objects.filter(pk__in=app_ids).select_related("account__owner"):
        token = tokens.setdefault(app.account_id, sign_id_token(app.account.owner))
        yield f"/v1/providers/runtime/apps/{app.pk}/webhooks/test", token


def _call(port: int, path: str, token: str, seen: Load, lock: threading.Lock) -> None:
    began_at = time.monotonic()
    connection = plain_http.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        connection.request("POST", path, b"{}", headers)
        response = connection.getresponse()
        body = response.read()
    except (OSError, plain_http.HTTPException):
        with lock:
            seen.unanswered += 1
        return
    finally:
        connection.close()
    with lock:
        seen.note(response, body)
        seen.taken_seconds.append(time.monotonic() - began_at)
