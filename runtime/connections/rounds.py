"""Working off what is due, round after round, on few threads of a process.

A round lasts as long as its slowest answer. Each uninstall wakes a worker, and the beat does so too: without a limit a
provider that answers slowly would hold all threads of a worker, and the webhooks and health checks of others with them.
"""

import threading
from collections.abc import Callable

from runtime.connections.refreshing import refresh_due_connections
from runtime.connections.revoking import revoke_due_connections

# One that waits for a slow provider, and one for all others meanwhile.
MOST_AT_ONCE = 2


class Rounds:
    """Calls a verb, which returns how much it found, until it finds nothing; in at most two threads at once.

    A call that finds no place has those who hold one look again, and ends at once.
    """

    def __init__(self, verb: Callable[[], int]) -> None:
        self._verb = verb
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._is_wanted = threading.Event()
        self._is_stopping = threading.Event()

    def run(self) -> None:
        """Work off what is due now."""
        self._is_wanted.set()
        while self._is_wanted.is_set() and self._places.acquire(blocking=False):
            try:
                self._is_wanted.clear()
                while not self._is_stopping.is_set() and self._verb():
                    pass
            finally:
                self._places.release()

    def stop(self) -> None:
        """Begin no further round in this process, which is about to end."""
        self._is_stopping.set()


refreshes = Rounds(refresh_due_connections)
revocations = Rounds(revoke_due_connections)
