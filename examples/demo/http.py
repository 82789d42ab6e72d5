"""A few lines around the standard library's HTTP client: JSON in, JSON out."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What came back; `is_replayed` says that it is the kept answer to an earlier call with the same key."""

    status: int
    body: Any
    is_replayed: bool = False

    @property
    def data(self) -> Any:
        """Return what the envelope holds."""
        return self.body["data"]

    @property
    def error_code(self) -> str:
        """Return the code of an error envelope."""
        return str(self.body["error"]["code"])


class Caller:
    """Calls one base URL, with a bearer token once there is one."""

    def __init__(self, base_url: str, token: str = "") -> None:
        self.base_url = base_url
        self.token = token
        # Everything runs on this machine: a proxy that the environment names could not reach it.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __call__(self, method: str, path: str, body: Any = None, *, idempotency_key: str = "") -> Answer:
        """Send one request; error statuses are answers too."""
        headers = {"Content-Type": "application/json"}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base_url + path, data, headers, method=method)  # noqa: S310  # http only.
        try:
            with self._opener.open(request, timeout=60) as response:
                return _answer(response.status, response.read(), response.headers)
        except urllib.error.HTTPError as exc:
            with exc:
                return _answer(exc.code, exc.read(), exc.headers)


def _answer(status: int, content: bytes, headers: Message) -> Answer:
    return Answer(status, json.loads(content), headers.get("Idempotency-Replayed") == "true")
