"""Many requests at once on one thread, driven by libcurl's multi interface and the system's selector."""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache

import pycurl  # noqa: TID251 - The one home of the HTTP client.

from aiffinity.lib.outbound.errors import ConnectFailed, OutboundError, OutboundTimeout
from aiffinity.lib.outbound.messages import OutboundRequest, OutboundResponse, check_request
from aiffinity.lib.outbound.names import Addresses, NameResolver
from aiffinity.lib.outbound.policy import EgressPolicy
from aiffinity.lib.outbound.transfer import Transfer
from aiffinity.lib.outbound.urls import ParsedUrl, parse_url

Outcome = tuple[OutboundRequest, OutboundResponse | OutboundError]

# How many idle connections, of all hosts together, one sender keeps.
MAX_CONNECTIONS = 256
# How many addresses one sender keeps in their parsed form.
MAX_KNOWN_URLS = 1024
# How soon an iterable that had nothing to start is asked again.
STARVED_SECONDS = 0.02

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_EVENTS_OF_POLL = {pycurl.POLL_IN: _READ, pycurl.POLL_OUT: _WRITE, pycurl.POLL_INOUT: _READ | _WRITE}
_NO_TIMER = -1


@dataclass(frozen=True, slots=True)
class _LookUp:
    """A request that waits for its name; times are seconds of the monotonic clock."""

    request: OutboundRequest
    url: ParsedUrl
    answer: Future[Addresses]
    started_at: float
    deadline: float


class _Waker:
    """A pair of sockets: what a look-up's thread writes to one end makes the other readable for the selector.

    The lock is there because a look-up may outlive its sender: without it, its byte could go to a number that
    was closed at this very moment and belongs to another request's connection already.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.woken, self._waking = socket.socketpair()
        for end in (self.woken, self._waking):
            end.settimeout(0)

    def wake(self, _: Future[Addresses]) -> None:
        # A full or closed socket means that the sender is awake anyway, or gone.
        with self._lock, contextlib.suppress(OSError):
            self._waking.send(b"\x00")

    def hush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.woken.recv(4096)

    def close(self) -> None:
        with self._lock:
            self._waking.close()
            self.woken.close()


class MultiSender:
    """A reusable multi handle with its connections and idle handles; it serves one `run` at a time."""

    def __init__(self, policy: EgressPolicy, resolver: NameResolver) -> None:
        self._policy = policy
        # Many requests go to few addresses.
        self._parse = lru_cache(maxsize=MAX_KNOWN_URLS)(parse_url)
        self._resolver = resolver
        self._idle: list[Transfer] = []
        self._in_flight: dict[pycurl.Curl, Transfer] = {}
        self._looking_up: list[_LookUp] = []
        self._watched: set[int] = set()
        self._wake_at: float | None = None
        self._selector = selectors.DefaultSelector()
        self._waker = _Waker()
        self._selector.register(self._waker.woken, _READ)
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, MAX_CONNECTIONS)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    @property
    def under_way(self) -> int:
        """How many requests have started and not ended; with none, another run may begin."""
        return len(self._in_flight) + len(self._looking_up)

    def run(self, requests: Iterable[OutboundRequest | None], *, max_in_flight: int) -> Iterator[Outcome]:
        """Yield each request with its answer or error as it ends, with at most so many under way.

        None from the iterable means that there is nothing to start for the moment: it is asked again when
        something ended, or soon. ValueError for a limit below 1, which would never let anything start.
        """
        if max_in_flight < 1:
            message = "At least one request must be allowed in flight."
            raise ValueError(message)
        waiting = iter(requests)
        has_more = True
        while has_more or self.under_way:
            is_starved = False
            ended = self._take_ended() + self._take_looked_up()
            while has_more and not is_starved and max(self.under_way, len(ended)) < max_in_flight:
                try:
                    request = next(waiting)
                except StopIteration:
                    has_more = False
                    break
                if request is None:
                    is_starved = True
                elif (refusal := self._start(request)) is not None:
                    ended.append((request, refusal))
            yield from ended
            if self.under_way or is_starved:
                self._wait(0 if ended else STARVED_SECONDS if is_starved else None)

    def close(self) -> None:
        """Break off what is under way and close every connection."""
        for transfer in self._in_flight.values():
            self._multi.remove_handle(transfer.handle)
            transfer.close()
        for transfer in self._idle:
            transfer.close()
        self._in_flight.clear()
        self._looking_up.clear()
        self._idle.clear()
        self._multi.close()
        self._selector.close()
        self._waker.close()

    def _start(self, request: OutboundRequest) -> OutboundError | None:
        try:
            check_request(request)
            url = self._parse(request.url, self._policy)
        except OutboundError as refusal:
            return refusal
        if not self._needs_look_up(url):
            self._launch(request, url)
            return None
        answer = self._resolver.ask(url.host.text)
        now = time.monotonic()
        limit_ms = min(request.timeout_ms, request.connect_timeout_ms)
        look_up = _LookUp(request, url, answer, started_at=now, deadline=now + limit_ms / 1000)
        if answer.done():
            return self._launch_at_addresses(look_up)
        self._looking_up.append(look_up)
        answer.add_done_callback(self._waker.wake)
        return None

    def _needs_look_up(self, url: ParsedUrl) -> bool:
        # libcurl knows localhost by itself, and only the proxy's name is looked up where there is one.
        is_localhost = url.host.text == "localhost" or url.host.text.endswith(".localhost")
        return url.host.address is None and not (is_localhost or self._policy.proxy or self._policy.pinned_names)

    def _launch_at_addresses(self, look_up: _LookUp) -> OutboundError | None:
        spent_ms = (time.monotonic() - look_up.started_at) * 1000
        addresses = look_up.answer.result()
        if not addresses:
            message = "The host name does not resolve."
            return ConnectFailed(message, elapsed_ms=round(spent_ms, 3))
        self._launch(look_up.request, look_up.url, addresses=addresses, spent_ms=spent_ms)
        return None

    def _launch(
        self, request: OutboundRequest, url: ParsedUrl, *, addresses: Addresses = (), spent_ms: float = 0.0
    ) -> None:
        transfer = self._idle.pop() if self._idle else Transfer(self._policy)
        transfer.prepare(request, url, addresses=addresses, spent_ms=spent_ms)
        self._in_flight[transfer.handle] = transfer
        self._multi.add_handle(transfer.handle)

    def _take_looked_up(self) -> list[Outcome]:
        outcomes: list[Outcome] = []
        pending: list[_LookUp] = []
        now = time.monotonic()
        for look_up in self._looking_up:
            failure: OutboundError | None = None
            if look_up.answer.done():
                failure = self._launch_at_addresses(look_up)
            elif look_up.deadline <= now:
                spent_ms = round((now - look_up.started_at) * 1000, 3)
                failure = OutboundTimeout("The host name did not resolve in time.", elapsed_ms=spent_ms)
            else:
                pending.append(look_up)
            if failure is not None:
                outcomes.append((look_up.request, failure))
        self._looking_up = pending
        return outcomes

    def _wait(self, limit_seconds: float | None) -> None:
        events = self._selector.select(self._timeout(limit_seconds))
        if self._wake_at is not None and self._wake_at <= time.monotonic():
            self._wake_at = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        for key, mask in events:
            if key.fileobj is self._waker.woken:
                self._waker.hush()
                continue
            bits = (pycurl.CSELECT_IN if mask & _READ else 0) | (pycurl.CSELECT_OUT if mask & _WRITE else 0)
            self._multi.socket_action(key.fd, bits)

    def _timeout(self, limit_seconds: float | None) -> float | None:
        moments = [look_up.deadline for look_up in self._looking_up]
        if self._wake_at is not None:
            moments.append(self._wake_at)
        if not moments:
            return limit_seconds
        until_next = max(0.0, min(moments) - time.monotonic())
        return until_next if limit_seconds is None else min(until_next, limit_seconds)

    def _take_ended(self) -> list[Outcome]:
        queued = 1
        outcomes: list[Outcome] = []
        while queued:
            queued, succeeded, failed = self._multi.info_read()
            outcomes.extend(self._end(handle, pycurl.E_OK) for handle in succeeded)
            outcomes.extend(self._end(handle, code) for handle, code, _ in failed)
        return outcomes

    def _end(self, handle: pycurl.Curl, code: int) -> Outcome:
        transfer = self._in_flight.pop(handle)
        self._multi.remove_handle(handle)
        request, outcome = transfer.finish(code)
        self._idle.append(transfer)
        return request, outcome

    def _watch_socket(self, what: int, fd: int, multi: pycurl.CurlMulti, data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            if fd in self._watched:
                self._watched.discard(fd)
                self._selector.unregister(fd)
        elif fd in self._watched:
            self._selector.modify(fd, _EVENTS_OF_POLL[what])
        else:
            self._watched.add(fd)
            self._selector.register(fd, _EVENTS_OF_POLL[what])

    def _set_timer(self, timeout_ms: int) -> None:
        self._wake_at = None if timeout_ms == _NO_TIMER else time.monotonic() + timeout_ms / 1000
