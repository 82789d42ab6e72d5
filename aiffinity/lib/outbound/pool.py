"""Idle handles by origin, so that whichever thread calls a host next finds an open connection to it."""

import threading
import time
from collections import OrderedDict

from aiffinity.lib.outbound.policy import EgressPolicy
from aiffinity.lib.outbound.transfer import IDLE_SECONDS, Transfer

MAX_IDLE = 256


class TransferPool:
    """A thread-safe store of idle handles; a handle belongs to one thread from `take` to `give_back`."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._lock = threading.Lock()
        self._idle_by_origin: dict[str, list[Transfer]] = {}
        # In the order in which they came back: the first is the oldest of all, and of its origin.
        self._since: OrderedDict[Transfer, tuple[str, float]] = OrderedDict()

    def take(self, origin: str) -> Transfer:
        """Return the handle that this origin used last, or a new one."""
        with self._lock:
            idle = self._idle_by_origin.get(origin)
            if idle:
                transfer = idle.pop()
                del self._since[transfer]
                if not idle:
                    del self._idle_by_origin[origin]
                return transfer
        return Transfer(self._policy)

    def give_back(self, origin: str, transfer: Transfer) -> None:
        """Store a finished handle; close those idle for a minute and the oldest beyond the cap."""
        now = time.monotonic()
        with self._lock:
            self._idle_by_origin.setdefault(origin, []).append(transfer)
            self._since[transfer] = (origin, now)
            stale = self._take_stale(now)
        for old in stale:
            old.close()

    def close(self) -> None:
        """Close every idle handle."""
        with self._lock:
            stale = list(self._since)
            self._since.clear()
            self._idle_by_origin.clear()
        for old in stale:
            old.close()

    def _take_stale(self, now: float) -> list[Transfer]:
        stale: list[Transfer] = []
        while self._since:
            transfer, (origin, since) = next(iter(self._since.items()))
            if len(self._since) <= MAX_IDLE and now - since <= IDLE_SECONDS:
                break
            del self._since[transfer]
            idle = self._idle_by_origin[origin]
            idle.remove(transfer)
            if not idle:
                del self._idle_by_origin[origin]
            stale.append(transfer)
        return stale
