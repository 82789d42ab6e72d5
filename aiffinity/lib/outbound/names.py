"""Looks names up in threads, so that one name whose name server is silent never delays another's.

libcurl's multi interface shares 20 resolver threads between all its transfers, and a look-up lives on in its
thread after the request that asked for it has timed out: twenty such names would hold up every delivery. Here
each name that is not known yet has a thread of its own, and all who ask meanwhile wait for the same one.
"""

import socket
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field

KEEP_SECONDS = 60.0
KEEP_FAILURE_SECONDS = 2.0
MAX_NAMES = 4096
MAX_PENDING = 256

Addresses = tuple[str, ...]


@dataclass(slots=True)
class _Entry:
    """One name's look-up: its outcome, and until when that holds (None while it is under way)."""

    answer: Future[Addresses] = field(default_factory=Future)
    fresh_until: float | None = None


class NameResolver:
    """A thread-safe cache of look-ups by the system's resolver."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._pending = 0

    def ask(self, host: str) -> Future[Addresses]:
        """Return the name's addresses, now or later; none if it does not resolve or too many look-ups are
        under way.
        """
        with self._lock:
            entry = self._entries.get(host)
            if entry is not None and (entry.fresh_until is None or time.monotonic() < entry.fresh_until):
                return entry.answer
            entry = _Entry()
            if self._pending >= MAX_PENDING:
                entry.answer.set_result(())
                return entry.answer
            self._pending += 1
            self._make_room()
            self._entries[host] = entry
        try:
            threading.Thread(target=self._look_up, args=(host, entry), daemon=True, name="look-up").start()
        except RuntimeError:
            # The system gives no more threads; a name left unsettled would never be asked for again.
            self._settle(entry, ())
        return entry.answer

    def _look_up(self, host: str, entry: _Entry) -> None:
        try:
            found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
            addresses = tuple(dict.fromkeys(str(address[0]) for *_, address in found))
        except OSError:
            addresses = ()
        self._settle(entry, addresses)

    def _settle(self, entry: _Entry, addresses: Addresses) -> None:
        with self._lock:
            self._pending -= 1
            keep_seconds = KEEP_SECONDS if addresses else KEEP_FAILURE_SECONDS
            entry.fresh_until = time.monotonic() + keep_seconds
        entry.answer.set_result(addresses)

    def _make_room(self) -> None:
        if len(self._entries) < MAX_NAMES:
            return
        now = time.monotonic()
        self._entries = {
            host: entry for host, entry in self._entries.items() if entry.fresh_until is None or entry.fresh_until > now
        }
        if len(self._entries) >= MAX_NAMES:
            self._entries = {host: entry for host, entry in self._entries.items() if entry.fresh_until is None}
