"""Stops calls to a host that keeps failing, so that its callers get their answer at once.

One breaker serves one process: it counts in memory only. A key, such as (app key, host), opens after 5
failures in a row or when more than half of its last 20 calls failed; 30 s later one call is let through as a
probe, whose outcome closes the key again or opens it for another 30 s (spec 4).
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

FAILURES_IN_ROW = 5
WINDOW = 20
OPEN_SECONDS = 30.0
MAX_KEYS = 10_000


@dataclass(slots=True)
class _Circuit:
    """One key's record: its latest outcomes, and until when it is open (None: closed)."""

    outcomes: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))
    failures_in_row: int = 0
    open_until: float | None = None
    is_probing: bool = False

    def count(self, *, is_ok: bool) -> None:
        self.outcomes.append(is_ok)
        self.failures_in_row = 0 if is_ok else self.failures_in_row + 1

    def has_tripped(self) -> bool:
        return self.failures_in_row >= FAILURES_IN_ROW or self.outcomes.count(False) * 2 > WINDOW


class CircuitBreaker:
    """A thread-safe set of circuits; `clock` answers seconds and may be replaced."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._circuits: OrderedDict[Hashable, _Circuit] = OrderedDict()
        self._lock = threading.Lock()

    def allow(self, key: Hashable) -> bool:
        """Tell whether a call may be tried now; whoever gets True for a half-open key holds its only probe.

        A probe whose outcome is never recorded gives way to another one after 30 s.
        """
        with self._lock:
            circuit = self._circuits.get(key)
            if circuit is None or circuit.open_until is None:
                return True
            now = self._clock()
            if now < circuit.open_until:
                return False
            circuit.is_probing = True
            circuit.open_until = now + OPEN_SECONDS
            return True

    def record(self, key: Hashable, ok: bool) -> None:  # noqa: FBT001 - An outcome reads well as the second argument.
        """Record how a call ended; outcomes of calls that began before the key opened change nothing."""
        with self._lock:
            circuit = self._circuit(key)
            if circuit.open_until is not None and not circuit.is_probing:
                return
            if circuit.is_probing:
                self._settle_probe(key, circuit, is_ok=ok)
                return
            circuit.count(is_ok=ok)
            if circuit.has_tripped():
                circuit.open_until = self._clock() + OPEN_SECONDS

    def retry_after_seconds(self, key: Hashable) -> float:
        """Return how long the key stays shut, 0.0 when a call may be tried."""
        with self._lock:
            circuit = self._circuits.get(key)
            if circuit is None or circuit.open_until is None:
                return 0.0
            return max(0.0, circuit.open_until - self._clock())

    def _settle_probe(self, key: Hashable, circuit: _Circuit, *, is_ok: bool) -> None:
        if is_ok:
            del self._circuits[key]
            return
        circuit.is_probing = False
        circuit.open_until = self._clock() + OPEN_SECONDS

    def _circuit(self, key: Hashable) -> _Circuit:
        circuit = self._circuits.get(key)
        if circuit is None:
            circuit = self._circuits[key] = _Circuit()
            if len(self._circuits) > MAX_KEYS:
                self._circuits.popitem(last=False)
        else:
            self._circuits.move_to_end(key)
        return circuit
