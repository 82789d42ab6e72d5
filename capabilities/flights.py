"""Single flight: equal calls that come together make one call to the provider (spec 4 "Gateway").

Flights are kept in the process. That is enough for the promise that counts, a provider that isn't stormed: with
several processes it sees at most one call from each, and the answers of all are the same cached state. A lock in
PostgreSQL over processes would need a connection held during the call, which the gateway never does.
"""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """The calls that are in the air, by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, Future[T]] = {}

    def join(self, key: Hashable) -> Future[T] | None:
        """Return the flight under this key, or start one (None): the caller must then land it."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                self._flights[key] = Future()
            return flight

    def land(self, key: Hashable, call: Callable[[], T]) -> T:
        """Make the call and hand its result or error to everybody who joined."""
        flight = self._flights[key]
        try:
            value = call()
        except BaseException as error:
            self._remove(key)
            flight.set_exception(error)
            raise
        self._remove(key)
        flight.set_result(value)
        return value

    def _remove(self, key: Hashable) -> None:
        with self._lock:
            del self._flights[key]
