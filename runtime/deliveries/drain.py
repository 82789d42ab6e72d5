"""One drain a process: it feeds a stream of requests from the outbox and records what comes back.

Requests run on one thread; the drain claims ahead of need on a second and records on a third (`side_job`), so that
HTTP never waits for the database. No transaction is open and no row is locked for HTTP. A slow endpoint holds its own
few places in flight and nothing else: as long as it is waited for, the drain goes on claiming for all others.

Wake-ups don't pile up. A process has one drain (`guard`); a wake-up that comes while it runs only leaves a wish, which
the drain looks for every few milliseconds, and ends at once. Drains of several processes share the work by SKIP LOCKED.

A drain ends when nothing is due, in flight or about to be retried. After `SPELL_SECONDS` it stops claiming
and hands on to the next one, so that a worker that is told to stop ends in reasonable time. The next one begins
while this one waits for its last answers, which may take as long as the slowest endpoint; both share what may be
sent and unrecorded. If its process dies, the leases run out and the deliveries are due again.
"""

import heapq
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.utils import timezone

from aiffinity.lib.outbound import OutboundError, OutboundRequest, OutboundResponse, client
from runtime.deliveries.claims import BATCH_SIZE, Claim, Look, look_for_due
from runtime.deliveries.guard import DrainGuard
from runtime.deliveries.outcomes import Result, judge, stopped
from runtime.deliveries.recording import record_results
from runtime.deliveries.requests import build_request
from runtime.deliveries.side_job import LOST_DATABASE, SideJob, wait_for_one

MAX_IN_FLIGHT = 96
SPELL_SECONDS = 20.0
# The periodic sweep finds later retries; nearer ones are waited for, so that they are on time.
LINGER_SECONDS = 5.0
RECORD_AT = 32
# What a process that is killed leaves behind unrecorded at most, and what is sent a second time for it.
MAX_UNRECORDED = MAX_IN_FLIGHT + RECORD_AT
RECORD_WITHIN_SECONDS = 0.025
# More are claimed while so many still wait for their start.
CLAIM_BELOW = 100
# Longer than the wait for a pooled connection, so that there is a second try.
DATABASE_PATIENCE_SECONDS = 8.0
DATABASE_PAUSE_SECONDS = 0.5


_guard = DrainGuard()


def drain_due(
    *,
    linger_seconds: float = LINGER_SECONDS,
    spell_seconds: float = SPELL_SECONDS,
    hand_on: Callable[[], None] = lambda: None,
) -> bool:
    """Send everything that is due; returns whether more is waiting for the next spell.

    Retries that fall due within `linger_seconds` are waited for. Where a drain runs already in this process
    it is told to look again, and this one returns at once. `hand_on` is called where the spell ends before the queue
    does, be it long before the last answer.
    """
    if not _guard.take():
        return False
    return Drain(_guard, linger_seconds=linger_seconds, spell_seconds=spell_seconds, hand_on=hand_on).run()


def stop_draining() -> None:
    """Claim nothing more in this process, which is about to end."""
    _guard.is_stopping = True


@dataclass(frozen=True)
class _Sending:
    """A claim in flight, and when its attempt began."""

    claim: Claim
    attempted_at: datetime


@dataclass(frozen=True)
class _Waiting:
    """A claim that waits for its start, and by when it must have it, in seconds of the monotonic clock."""

    claim: Claim
    start_by: float


class Drain:
    """One spell of sending, on one thread."""

    def __init__(
        self,
        guard: DrainGuard,
        *,
        linger_seconds: float,
        spell_seconds: float,
        hand_on: Callable[[], None] = lambda: None,
    ) -> None:
        self._guard = guard
        self._hand_on = hand_on
        self._linger = timedelta(seconds=linger_seconds)
        self._ends_at = time.monotonic() + spell_seconds
        self._is_feeding = True
        self._has_left_some = False
        self._may_have_more = False
        self._claiming: SideJob[Look] = SideJob("delivery-claims")
        self._waiting: deque[_Waiting] = deque()
        self._in_flight = 0
        self._ended_since_look = 0
        self._results: list[Result] = []
        self._recording: SideJob[None] = SideJob("delivery-records")
        self._batch: list[Result] = []
        self._record_at = 0.0
        self._database_lost_at: float | None = None
        self._retries: list[datetime] = []
        self._opening_at: datetime | None = None

    def run(self) -> bool:
        """Send until nothing is left or the spell is over; returns whether it left something."""
        self._guard.unrecorded.append(self._unrecorded)
        try:
            with closing(client().send_many(self._requests(), max_in_flight=MAX_IN_FLIGHT)) as outcomes:
                for request, answer in outcomes:
                    self._take_outcome(request, answer)
        finally:
            try:
                self._recording.close()
                self._claiming.close()
            finally:
                self._guard.unrecorded.remove(self._unrecorded)
                if self._is_feeding:
                    self._guard.give_up(even_if_wished_for=True)
        return self._has_left_some

    def _requests(self) -> Iterator[OutboundRequest | None]:
        while True:
            while self._waiting and self._has_room():
                request = self._start(self._waiting.popleft())
                if request is not None:
                    yield request
            self._record_if_due()
            if self._feed():
                continue
            is_asking = self._claiming.call or self._recording.call
            if not is_asking and not self._waiting and not self._unrecorded() and self._is_done():
                return
            if self._in_flight or not is_asking:
                yield None
            else:
                wait_for_one((self._claiming, self._recording))

    def _unrecorded(self) -> int:
        """Return how many deliveries are on their way, or came back and do not stand in the database yet."""
        return self._in_flight + len(self._results) + len(self._batch)

    def _has_room(self) -> bool:
        return self._room() > 0

    def _room(self) -> int:
        """Return how many more this process may send before it has recorded some."""
        return MAX_UNRECORDED - sum(count() for count in self._guard.unrecorded)

    def _start(self, waiting: _Waiting) -> OutboundRequest | None:
        """Build the request, or settle at once what cannot be sent."""
        if time.monotonic() > waiting.start_by:
            return None
        claim, now = waiting.claim, timezone.now()
        if claim.target.stop_reason:
            self._add_result(stopped(claim))
            return None
        if claim.target.fault:
            failure = OutboundError(claim.target.fault)
            self._add_result(judge(claim, failure, attempted_at=now, now=now))
            return None
        self._in_flight += 1
        return build_request(claim, timestamp=int(now.timestamp()), tag=_Sending(claim, now))

    def _take_outcome(self, request: OutboundRequest, answer: OutboundResponse | OutboundError) -> None:
        sending = request.tag
        if not isinstance(sending, _Sending):
            raise TypeError("The request is not one of this drain.")
        self._in_flight -= 1
        self._ended_since_look += 1
        now = timezone.now()
        self._add_result(judge(sending.claim, answer, attempted_at=sending.attempted_at, now=now))
        if len(self._results) >= RECORD_AT:
            self._record_if_due()

    def _add_result(self, result: Result) -> None:
        if not self._results:
            self._record_at = time.monotonic() + RECORD_WITHIN_SECONDS
        self._results.append(result)
        if result.next_attempt_at is not None:
            heapq.heappush(self._retries, result.next_attempt_at)

    def _record_if_due(self) -> None:
        self._take_recorded()
        is_due = len(self._results) >= RECORD_AT or not self._in_flight or time.monotonic() >= self._record_at
        if not self._results or not is_due or self._recording.call or not self._has_waited_for_database():
            return
        self._batch, self._results = self._results, []
        self._recording.start(partial(record_results, self._batch))

    def _take_recorded(self) -> None:
        ended = self._recording.take_ended()
        if ended is None:
            return
        batch, self._batch = self._batch, []
        if self._is_good(ended):
            self._may_have_more = True
        else:
            self._results = [*batch, *self._results]

    def _is_good(self, ended: Future[Any]) -> bool:
        """Say whether the database was there for a call; raises what it raised once that lasts too long.

        Results are kept for a while, so that a restart of the database makes nothing go out twice.
        """
        try:
            ended.result()
        except LOST_DATABASE:
            now = time.monotonic()
            self._database_lost_at = self._database_lost_at or now
            self._record_at = now + DATABASE_PAUSE_SECONDS
            if now - self._database_lost_at > DATABASE_PATIENCE_SECONDS:
                raise
            return False
        self._database_lost_at = None
        return True

    def _has_waited_for_database(self) -> bool:
        return self._database_lost_at is None or time.monotonic() >= self._record_at

    def _feed(self) -> bool:
        """Take over what was claimed and claim ahead; returns whether there is something new to start."""
        has_come = self._take_look()
        if self._is_feeding and not self._claiming.call and len(self._waiting) < CLAIM_BELOW:
            self._look_if_due()
        return has_come

    def _take_look(self) -> bool:
        ended = self._claiming.take_ended()
        if ended is None:
            return False
        if not self._is_good(ended):
            self._may_have_more = True
            return False
        look = ended.result()
        self._opening_at = look.opening_at
        self._may_have_more = self._may_have_more or bool(look.claims)
        self._waiting.extend(_Waiting(claim, look.start_by) for claim in look.claims)
        return bool(look.claims)

    def _look_if_due(self) -> None:
        if time.monotonic() > self._ends_at or self._guard.is_stopping:
            self._is_feeding = False
            self._has_left_some = self._guard.take_wish() or self._may_have_more or self._is_more_near()
            self._guard.give_up(even_if_wished_for=True)
            if self._has_left_some:
                self._hand_on()
        elif (limit := self._claim_limit()) and self._has_waited_for_database() and self._is_worth_a_look():
            self._may_have_more, self._ended_since_look = False, 0
            self._claiming.start(partial(look_for_due, limit))

    def _claim_limit(self) -> int:
        """Return how many to claim: what can start at once, and twice what ended while the last claim was made.

        So claims keep ahead of a drain that flows, and a drain full of endpoints that hang takes nothing that
        another worker could send meanwhile.
        """
        free = min(MAX_IN_FLIGHT - self._in_flight, self._room()) - len(self._waiting)
        return min(max(free, 0) + 2 * self._ended_since_look, BATCH_SIZE)

    def _is_worth_a_look(self) -> bool:
        """Say whether somebody woke the drain, a retry is due or an endpoint has room; forget what is over."""
        now, is_worth = timezone.now(), self._guard.take_wish() or self._may_have_more
        while self._retries and self._retries[0] <= now:
            heapq.heappop(self._retries)
            is_worth = True
        if self._opening_at is not None and self._opening_at <= now:
            self._opening_at, is_worth = None, True
        return is_worth

    def _is_done(self) -> bool:
        if not self._is_feeding:
            return True
        if self._is_more_near() or not self._guard.give_up():
            return False
        self._is_feeding = False
        return True

    def _is_more_near(self) -> bool:
        """Say whether a retry falls due soon enough to be waited for, or an endpoint has room again."""
        moments = [*self._retries[:1], *filter(None, [self._opening_at])]
        return bool(moments) and min(moments) <= timezone.now() + self._linger
