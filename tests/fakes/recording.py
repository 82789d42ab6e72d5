"""What a fake saw, for tests to look at and to wait for."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RecordedRequest:
    """One request, recorded when its body was read and before anything was answered.

    `route` is execute, health, webhooks or other. Names in `headers` are lower case. `is_verified`
    tells whether all signatures hold (False for routes without one), `signatures` which of a
    webhook's: `hex`, and `standard_webhooks` when its headers came.
    """

    method: str
    path: str
    route: str
    headers: dict[str, str]
    body: bytes
    is_verified: bool
    signatures: dict[str, bool] = field(default_factory=dict)
    received_at: float = field(default_factory=time.time)

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)


class Recording:
    """A list of requests that grows while tests read it."""

    def __init__(self) -> None:
        self._requests: list[RecordedRequest] = []
        self._changed = threading.Condition()

    def add(self, request: RecordedRequest) -> None:
        """Append a request and wake whoever waits."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget all requests."""
        with self._changed:
            self._requests.clear()

    def all(self, route: str | None = None) -> list[RecordedRequest]:
        """Return a copy of what was seen, oldest first, of one route or of all."""
        with self._changed:
            return [request for request in self._requests if route in {None, request.route}]

    def wait_for_count(
        self, count: int, predicate: Callable[[RecordedRequest], bool], timeout_seconds: float
    ) -> list[RecordedRequest]:
        """Return the requests that fit once there are that many; raises TimeoutError telling what came."""

        def matching() -> list[RecordedRequest]:
            return [request for request in self._requests if predicate(request)]

        with self._changed:
            if not self._changed.wait_for(lambda: len(matching()) >= count, timeout_seconds):
                seen = [f"{request.method} {request.path}" for request in self._requests[-20:]]
                text = f"{len(matching())} of {count} requests in {timeout_seconds} s; the last ones: {seen}"
                raise TimeoutError(text)
            return matching()
