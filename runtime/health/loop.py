"""Checking all that is due: batches are claimed, asked many at once on one thread, and written down in batches.

No transaction is open while HTTP runs. One loop claims in a process; a wake-up that finds one claiming ends at once.
A loop ends when nothing is due and nothing is under way. After `SPELL_SECONDS` it claims no more and lets the next
one begin at once, while it waits for what it has in flight. If its process dies, the leases run out and the apps
are due again. Asking a health URL twice does no harm, so a lost database ends the loop instead of being waited for.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime

from aiffinity.lib.outbound import OutboundError, OutboundRequest, OutboundResponse, client
from aiffinity.lib.wakeups import wake
from runtime.health.claims import BATCH_SIZE, CheckClaim, claim_due_checks
from runtime.health.looking import STALL_MS, TIMEOUT_MS, health_request, read_sighting
from runtime.health.recording import Seen, record_checks

# With a time limit of 5 s, 10,000 apps keep their minute while 6 of 10 hang.
MAX_IN_FLIGHT = 512
SPELL_SECONDS = 30.0
CLAIM_EVERY_SECONDS = 0.25
LEAST_BATCH = 32
RECORD_AT = 64
RECORD_WITHIN_SECONDS = 0.1
# What could not start in this time is left to another claim, so that its lease covers the look and the record.
START_WITHIN_SECONDS = 5.0
# A failure is the provider's only if this process was awake all the time: not waiting for the database, not stopped.
STALL_SECONDS = STALL_MS / 1000

TASK = "runtime.tasks.run_due_health_checks"

_is_claiming = threading.Lock()
_is_stopping = threading.Event()


@dataclass
class Tally:
    """How many apps were checked and how many of them failed; `has_left_some` says that the spell ended first."""

    checked: int = 0
    failed: int = 0
    has_left_some: bool = False


@dataclass(frozen=True)
class _Look:
    """A claim in flight, and when its look began by the monotonic clock."""

    claim: CheckClaim
    began_at: float


def run_due_checks(*, spell_seconds: float = SPELL_SECONDS, due_by: datetime | None = None) -> Tally:
    """Check every app whose turn has come, or had by `due_by`; does nothing where this process is at it already."""
    if not _is_claiming.acquire(blocking=False):
        return Tally()
    with ExitStack() as claiming:
        claiming.callback(_is_claiming.release)
        return CheckLoop(spell_seconds=spell_seconds, stop_claiming=claiming.close, due_by=due_by).run()


def stop_checking() -> None:
    """Claim nothing more in this process, which is about to end."""
    _is_stopping.set()


class CheckLoop:
    """One spell of checking, on one thread; `stop_claiming` is called when it is over."""

    def __init__(
        self, *, spell_seconds: float, stop_claiming: Callable[[], None] = lambda: None, due_by: datetime | None = None
    ) -> None:
        self._tally = Tally()
        self._due_by = due_by
        self._stop_claiming = stop_claiming
        self._ends_at = time.monotonic() + spell_seconds
        self._claimed: deque[CheckClaim] = deque()
        self._claim_at = self._start_by = self._record_at = self._awake_since = 0.0
        self._has_found_all = False
        self._in_flight = 0
        self._results: list[Seen] = []

    def run(self) -> Tally:
        """Check until nothing is due or the spell is over."""
        with closing(client().send_many(self._requests(), max_in_flight=MAX_IN_FLIGHT)) as outcomes:
            for request, outcome in outcomes:
                self._take(request, outcome)
        return self._tally

    def _requests(self) -> Iterator[OutboundRequest | None]:
        while True:
            while self._claimed:
                claim = self._claimed.popleft()
                if time.monotonic() <= self._start_by:
                    self._in_flight += 1
                    yield health_request(claim.url, tag=_Look(claim, time.monotonic()))
            self._record_if_due()
            if self._claim_more():
                continue
            if self._is_over() and not self._in_flight and not self._results:
                return
            yield None

    def _is_over(self) -> bool:
        return self._has_found_all or time.monotonic() > self._ends_at or _is_stopping.is_set()

    def _claim_more(self) -> bool:
        """Claim what is due, not more than can start; returns whether there is some."""
        now = time.monotonic()
        if now > self._ends_at or _is_stopping.is_set():
            self._hand_over()
            return False
        limit = min(BATCH_SIZE, MAX_IN_FLIGHT - self._in_flight)
        if now < self._claim_at or limit < LEAST_BATCH:
            return False
        self._start_by = now + START_WITHIN_SECONDS
        self._claimed.extend(claim_due_checks(limit, due_by=self._due_by))
        self._note_stall(since=now)
        self._has_found_all = not self._claimed
        self._claim_at = now if len(self._claimed) == limit else now + CLAIM_EVERY_SECONDS
        return bool(self._claimed)

    def _hand_over(self) -> None:
        """Let the next loop begin, here or in another worker, once the spell is over."""
        if not self._tally.has_left_some and not _is_stopping.is_set():
            self._stop_claiming()
            wake(TASK)
        self._tally.has_left_some = True

    def _take(self, request: OutboundRequest, outcome: OutboundResponse | OutboundError) -> None:
        look = request.tag
        if not isinstance(look, _Look):
            raise TypeError("The request is not one of this loop.")
        self._in_flight -= 1
        if isinstance(outcome, OutboundError) and self._may_be_our_fault(look):
            return
        if not self._results:
            self._record_at = time.monotonic() + RECORD_WITHIN_SECONDS
        self._results.append(Seen(look.claim, read_sighting(outcome)))
        if len(self._results) >= RECORD_AT:
            self._record_at = 0.0
            self._record_if_due()

    def _may_be_our_fault(self, look: _Look) -> bool:
        seconds = time.monotonic() - look.began_at
        return look.began_at < self._awake_since or seconds > TIMEOUT_MS / 1000 + STALL_SECONDS

    def _record_if_due(self) -> None:
        now = time.monotonic()
        if not self._results or (self._in_flight and now < self._record_at):
            return
        kept, self._results = record_checks(self._results)
        self._record_at = time.monotonic() + RECORD_WITHIN_SECONDS
        self._note_stall(since=now)
        self._tally.checked += len(kept)
        self._tally.failed += sum(not check.is_healthy for check in kept)

    def _note_stall(self, *, since: float) -> None:
        now = time.monotonic()
        if now - since > STALL_SECONDS:
            self._awake_since = now
