"""A few lines around the standard library's HTTP client: JSON in, JSON out."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the body and how long it took are all that the story tells."""

    status: int
    body: Any

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

    def __call__(self, method: str, path: str, body: Any = None) -> Answer:
        """Send one request; error statuses are answers too."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base_url + path, data, headers, method=method)  # noqa: S310  # http only.
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310  # The same.
                return Answer(response.status, json.loads(response.read()))
        except urllib.error.HTTPError as exc:
            with exc:
                return Answer(exc.code, json.loads(exc.read()))
