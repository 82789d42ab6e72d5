"""One drain at a time in a process.

The guard is a lock of the process and not one of the database: an advisory lock of a session doesn't fit pooled
connections, one of a transaction would be held while HTTP runs, and either would let a stopped process stop all
others.
"""

import threading
from collections.abc import Callable


class DrainGuard:
    """Lets one drain run at a time in this process, and keeps the wishes of wake-ups for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_taken = False
        self._is_wished_for = False
        self.is_stopping = False
        # One for each drain that runs, those included that only wait for their last answers.
        self.unrecorded: list[Callable[[], int]] = []

    def take(self) -> bool:
        """Become the drain, or leave a wish with the one that runs."""
        with self._lock:
            self._is_wished_for = True
            is_free = not self._is_taken
            self._is_taken = True
            return is_free

    def take_wish(self) -> bool:
        """Say whether somebody woke the drain since it looked last."""
        with self._lock:
            is_wished_for, self._is_wished_for = self._is_wished_for, False
            return is_wished_for

    def give_up(self, *, even_if_wished_for: bool = False) -> bool:
        """Stop being the drain; False where a wish came in between and must be heard first."""
        with self._lock:
            if self._is_wished_for and not even_if_wished_for:
                return False
            self._is_taken = False
            return True
