"""What is sent and what comes back, as plain values."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

from aiffinity.lib.outbound.errors import OutboundRefused, ProtocolFailed

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# The client frames messages itself, keeps no cookies and asks for the encodings that it can decode.
RESERVED_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

_HEADER_NAME = re.compile(r"\A[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}\Z")
_HEADER_VALUE = re.compile(r"\A[\t\x20-\x7e]{0,8192}\Z")


@dataclass(frozen=True, slots=True)
class OutboundRequest:
    """One request; times are milliseconds, `timeout_ms` is the wall clock for everything from the look-up to
    the last byte.

    `max_response_bytes` counts the decompressed body; beyond it the request fails, or, with `can_truncate`,
    answers what came so far. `can_resend` False keeps a request that must not arrive twice off kept
    connections, because libcurl sends it again by itself when a kept connection turns out to be dead. `tag`
    is the caller's own and never looked at.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    timeout_ms: int = 10_000
    connect_timeout_ms: int = 3_000
    max_response_bytes: int = 1_048_576
    can_truncate: bool = False
    can_resend: bool = True
    tag: object = None

    def __repr__(self) -> str:
        """Show the method alone: URL, headers and body may hold secrets."""
        return f"OutboundRequest(method={self.method!r})"


class Headers(Mapping[str, str]):
    """An answer's headers by case-insensitive name; the values of a repeated one are joined by a comma (RFC
    9110, 5.3).
    """

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            self._values[key] = f"{self._values[key]}, {value}" if key in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, slots=True)
class OutboundResponse:
    """One answer, whatever its status; `effective_ip` is the address that answered, the proxy's where one is
    set.
    """

    status: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    elapsed_ms: float
    effective_ip: str
    is_truncated: bool = False

    @property
    def is_success(self) -> bool:
        """Tell whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Parse the body as JSON; ProtocolFailed if it is not."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            message = "The answer is not JSON."
            raise ProtocolFailed(message, elapsed_ms=self.elapsed_ms) from None


def check_request(request: OutboundRequest) -> None:
    """Refuse a request that cannot be sent as it stands; OutboundRefused with `method`, `header`, `body` or
    `time_limit`.
    """
    if request.method not in METHODS:
        raise OutboundRefused(rule="method", message="The method is not one that the platform sends.")
    if request.method == "HEAD" and request.body:
        raise OutboundRefused(rule="body", message="A HEAD request has no body.")
    if request.timeout_ms <= 0 or request.connect_timeout_ms <= 0:
        raise OutboundRefused(rule="time_limit", message="The time limits must be positive.")
    for name, value in request.headers:
        check_header(name, value)


def check_header(name: str, value: str) -> None:
    """Refuse a header that is reserved or that is no single line of printable ASCII; OutboundRefused with
    rule `header`.
    """
    _check_header_name(name)
    if not _HEADER_VALUE.match(value):
        message = f"The value of the header {name} must be one line of at most 8192 printable ASCII characters."
        raise OutboundRefused(rule="header", message=message)


@lru_cache(maxsize=1024)
def _check_header_name(name: str) -> None:
    if not _HEADER_NAME.match(name):
        raise OutboundRefused(rule="header", message="A header's name holds characters that are not allowed.")
    if name.lower() in RESERVED_HEADERS:
        raise OutboundRefused(rule="header", message=f"The header {name} is set by the platform alone.")
