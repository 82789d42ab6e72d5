"""One libcurl handle and the exchange that it carries: options, connect-time check, caps, outcome.

This is the only place that opens sockets for the platform, and `_open_socket` the only connect-time check:
libcurl hands it the very address that it is about to connect to, after name resolution and for every
spelling.
"""

import socket
import ssl
from functools import cache
from ipaddress import ip_address
from pathlib import Path

import pycurl  # noqa: TID251 - The one home of the HTTP client.

from aiffinity.lib.outbound.errors import AddressRefused, AnswerTooLarge, OutboundError
from aiffinity.lib.outbound.failures import failure_of
from aiffinity.lib.outbound.messages import Headers, OutboundRequest, OutboundResponse
from aiffinity.lib.outbound.policy import EgressPolicy
from aiffinity.lib.outbound.urls import ParsedUrl

MAX_HEADER_BYTES = 32 * 1024
IDLE_SECONDS = 60
USER_AGENT = "Aiffinity-Platform/1.0"

_E_TOO_LARGE = 100

# Where the usual systems keep their bundle of trusted certificates: Debian, Red Hat, SUSE, Alpine and macOS.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


@cache
def system_ca_file() -> str:
    """Return the path of the system's bundle of trusted certificates, or "" where none is found (then no TLS
    succeeds).
    """
    candidates = (ssl.get_default_verify_paths().cafile, *_BUNDLES)
    return next((path for path in candidates if path and Path(path).is_file()), "")


class Transfer:
    """A reusable handle: `prepare`, let libcurl perform it, then `finish`."""

    def __init__(self, policy: EgressPolicy) -> None:
        self.handle = pycurl.Curl()
        self.request: OutboundRequest | None = None
        self._policy = policy
        self._host = ""
        self._reset()
        self._set_lasting_options()

    def _reset(self) -> None:
        self._spent_ms = 0.0
        self._max_body_bytes = 0
        self._header_lines: list[bytes] = []
        self._header_bytes = 0
        self._has_all_headers = False
        self._chunks: list[bytes] = []
        self._body_bytes = 0
        self._refused_by: str | None = None
        self._is_body_full = False
        self._are_headers_full = False

    def _set_lasting_options(self) -> None:
        setopt = self.handle.setopt
        setopt(pycurl.NOSIGNAL, 1)
        setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        setopt(pycurl.REDIR_PROTOCOLS, 0)
        setopt(pycurl.FOLLOWLOCATION, 0)
        setopt(pycurl.PATH_AS_IS, 1)
        setopt(pycurl.NETRC, pycurl.NETRC_IGNORED)
        # An empty text, unlike an unset option, also switches off the proxies named in the environment.
        setopt(pycurl.PROXY, self._policy.proxy)
        setopt(pycurl.NOPROXY, "")
        setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        setopt(pycurl.HTTP09_ALLOWED, 0)
        setopt(pycurl.ACCEPT_ENCODING, "gzip, deflate")
        setopt(pycurl.USERAGENT, USER_AGENT)
        setopt(pycurl.SSL_VERIFYPEER, 1)
        setopt(pycurl.SSL_VERIFYHOST, 2)
        setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2)
        setopt(pycurl.CAINFO, self._policy.ca_file or system_ca_file())
        setopt(pycurl.MAXAGE_CONN, IDLE_SECONDS)
        setopt(pycurl.MAXCONNECTS, 4)
        setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        setopt(pycurl.HEADERFUNCTION, self._take_header_line)
        setopt(pycurl.WRITEFUNCTION, self._take_chunk)

    def prepare(
        self,
        request: OutboundRequest,
        url: ParsedUrl,
        *,
        addresses: tuple[str, ...] = (),
        spent_ms: float = 0.0,
    ) -> None:
        """Load a checked request; every option that depends on the request is set anew.

        `addresses`, if any, stand in for libcurl's own look-up, and `spent_ms` is the time that they took.
        """
        self._reset()
        self.request = request
        self._host = url.host.text
        self._spent_ms = spent_ms
        self._max_body_bytes = request.max_response_bytes
        setopt = self.handle.setopt
        setopt(pycurl.URL, url.text)
        connect_timeout_ms = min(request.connect_timeout_ms, request.timeout_ms)
        setopt(pycurl.TIMEOUT_MS, max(1, int(request.timeout_ms - spent_ms)))
        setopt(pycurl.CONNECTTIMEOUT_MS, max(1, int(connect_timeout_ms - spent_ms)))
        setopt(pycurl.FRESH_CONNECT, 0 if request.can_resend else 1)
        self._set_addresses(url, addresses)
        self._set_method(request)
        setopt(pycurl.HTTPHEADER, _header_lines(request))

    def _set_addresses(self, url: ParsedUrl, addresses: tuple[str, ...]) -> None:
        # The last request's must go, or libcurl would take them for news about that host.
        if pins := [_pin(url, addresses)] if addresses else list(self._policy.pinned_names):
            self.handle.setopt(pycurl.RESOLVE, pins)
        else:
            self.handle.unsetopt(pycurl.RESOLVE)

    def _set_method(self, request: OutboundRequest) -> None:
        setopt = self.handle.setopt
        if request.method == "HEAD":
            setopt(pycurl.NOBODY, 1)
        elif request.body or request.method in ("POST", "PUT", "PATCH"):
            setopt(pycurl.POST, 1)
            setopt(pycurl.POSTFIELDS, request.body)
        else:
            setopt(pycurl.HTTPGET, 1)
        setopt(pycurl.CUSTOMREQUEST, request.method)

    def _open_socket(self, purpose: int, address: pycurl.CurlSockAddr) -> int:
        refusal: str | None = "address_family"
        if address.family in (socket.AF_INET, socket.AF_INET6):
            ip_text, port = address.addr[:2]
            refusal = self._policy.refusal_of_connection(ip_address(ip_text), port, host=self._host)
        if refusal is not None:
            self._refused_by = refusal
            return int(pycurl.SOCKET_BAD)
        try:
            opened = socket.socket(address.family, address.socktype, address.protocol)
        except OSError:
            # No number is left: libcurl calls that a connection that could not be made.
            return int(pycurl.SOCKET_BAD)
        # The bare number becomes libcurl's own. Of a socket pycurl makes a copy, which programs that are
        # started later would inherit.
        return opened.detach()

    def _take_header_line(self, line: bytes) -> int | None:
        self._header_bytes += len(line)
        if self._header_bytes > MAX_HEADER_BYTES:
            self._are_headers_full = True
            return -1
        if line.startswith(b"HTTP/"):
            # An interim answer or a proxy's is followed by another one, which takes its place.
            self._header_lines = []
            self._has_all_headers = False
        elif line in (b"\r\n", b"\n"):
            self._has_all_headers = True
        elif not self._has_all_headers:
            self._header_lines.append(line)
        return None

    def _take_chunk(self, chunk: bytes) -> int | None:
        room = self._max_body_bytes - self._body_bytes
        if len(chunk) > room:
            self._is_body_full = True
            if room > 0:
                self._chunks.append(chunk[:room])
            return -1
        self._chunks.append(chunk)
        self._body_bytes += len(chunk)
        return None

    def finish(self, code: int) -> tuple[OutboundRequest, OutboundResponse | OutboundError]:
        """Return the request with what libcurl's result code means for it, and make the handle ready for
        another.

        It lets go of the request, its secrets and its answer, and keeps the connection.
        """
        if self.request is None:
            message = "The handle carries no request."
            raise RuntimeError(message)
        request = self.request
        if code == pycurl.E_OK and not self._has_all_headers:
            # libcurl takes the end of the connection for the end of the headers.
            code = int(pycurl.E_GOT_NOTHING)
        is_truncated = self._is_body_full and request.can_truncate
        is_answered = code == pycurl.E_OK or is_truncated
        outcome = self._response(is_truncated=is_truncated) if is_answered else self._failure(code)
        self.request = None
        self._reset()
        # pycurl takes no notice of an empty list.
        self.handle.unsetopt(pycurl.HTTPHEADER)
        self.handle.setopt(pycurl.POSTFIELDS, b"")
        return request, outcome

    def close(self) -> None:
        """Close the handle and its connections."""
        self.handle.close()

    def _response(self, *, is_truncated: bool) -> OutboundResponse:
        getinfo = self.handle.getinfo
        return OutboundResponse(
            status=getinfo(pycurl.RESPONSE_CODE),
            headers=Headers(_pairs(self._header_lines)),
            body=b"".join(self._chunks),
            elapsed_ms=self._elapsed_ms(),
            effective_ip=getinfo(pycurl.PRIMARY_IP),
            is_truncated=is_truncated,
        )

    def _failure(self, code: int) -> OutboundError:
        elapsed_ms = self._elapsed_ms()
        if self._is_body_full:
            limit = f"The answer is longer than {self._max_body_bytes} bytes."
            return AnswerTooLarge(limit, elapsed_ms=elapsed_ms)
        if self._are_headers_full or code == _E_TOO_LARGE:
            return AnswerTooLarge(
                f"The answer's headers are longer than {MAX_HEADER_BYTES} bytes.", elapsed_ms=elapsed_ms
            )
        if self._refused_by is not None and code != pycurl.E_OPERATION_TIMEDOUT:
            message = f"The host leads to an address that is not publicly reachable ({self._refused_by})."
            return AddressRefused(rule="private_address", message=message, elapsed_ms=elapsed_ms)
        kind, message = failure_of(code)
        return kind(message, elapsed_ms=elapsed_ms)

    def _elapsed_ms(self) -> float:
        return round(self._spent_ms + float(self.handle.getinfo(pycurl.TOTAL_TIME)) * 1000, 3)


def _pin(url: ParsedUrl, addresses: tuple[str, ...]) -> str:
    # The plus makes the entry expire like one of libcurl's own look-ups.
    spelt = (f"[{address}]" if ":" in address else address for address in addresses)
    return f"+{url.host.text}:{url.port}:{','.join(spelt)}"


def _header_lines(request: OutboundRequest) -> list[str]:
    # libcurl sends a header without a value only in this spelling, and leaves out those with nothing after
    # the colon: its own Expect, Accept and the form's Content-Type.
    lines = [f"{name}: {value}" if value else f"{name};" for name, value in request.headers]
    lines.append("Expect:")
    if not any(name.lower() == "content-type" for name, _ in request.headers):
        lines.append("Content-Type:")
    return lines


def _pairs(lines: list[bytes]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for line in lines:
        name, _, value = line.decode("latin-1").partition(":")
        pairs.append((name.strip(), value.strip()))
    return pairs
