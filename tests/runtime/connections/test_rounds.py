"""What is due is worked off on few threads, and no wake-up is lost."""

import threading
from concurrent.futures import ThreadPoolExecutor

from runtime.connections.rounds import Rounds

SECONDS = 10


class Work:
    """A verb that finds as much as was put there, and waits at each find until it may go on."""

    def __init__(self, due):
        self.due = due
        self.calls = 0
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self._lock = threading.Lock()

    def __call__(self):
        with self._lock:
            self.calls += 1
            if not self.due:
                return 0
            self.due -= 1
        self.begun.release()
        assert self.may_end.acquire(timeout=SECONDS)
        return 1


def test_all_that_is_due_is_worked_off():
    work = Work(3)
    work.may_end.release(3)
    Rounds(work).run()
    assert (work.due, work.calls) == (0, 4)


def test_a_slow_provider_holds_two_threads_and_who_comes_then_ends_at_once():
    work = Work(2)
    rounds = Rounds(work)
    with ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(rounds.run) for _ in range(2)]
        for _ in slow:
            assert work.begun.acquire(timeout=SECONDS)
        work.due = 1
        rounds.run()
        assert work.due == 1
        work.may_end.release(3)
    assert work.due == 0, "what came meanwhile is not left to the next sweep"


def test_a_wake_up_after_the_last_look_is_heard():
    seen = []

    def look():
        seen.append("look")
        if len(seen) <= 2:
            # Both places are taken: this one here, and the one that looks within it.
            rounds.run()
        return 0

    rounds = Rounds(look)
    rounds.run()
    assert len(seen) > 2


def test_a_process_that_ends_begins_no_further_round():
    work = Work(2)
    rounds = Rounds(work)
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(rounds.run)
        assert work.begun.acquire(timeout=SECONDS)
        rounds.stop()
        work.may_end.release()
        under_way.result(timeout=SECONDS)
    assert (work.due, work.calls) == (1, 1)
