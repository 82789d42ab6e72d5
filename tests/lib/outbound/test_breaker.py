"""The circuit breaker against a plain model of its rule."""

from hypothesis import given
from hypothesis import strategies as st

from aiffinity.lib.outbound import CircuitBreaker

KEY = ("app_1", "api.acmeweather.com")


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_five_failures_in_a_row_open_it() -> None:
    breaker = CircuitBreaker(Clock())
    for _ in range(4):
        breaker.record(KEY, False)
        assert breaker.allow(KEY)
    breaker.record(KEY, False)
    assert not breaker.allow(KEY)
    assert breaker.retry_after_seconds(KEY) == 30.0


def test_more_than_half_of_the_last_twenty_open_it() -> None:
    breaker = CircuitBreaker(Clock())
    for ok in [True, True] + [False, False, False, True, False, True] * 2 + [True] * 4 + [False, True]:
        breaker.record(KEY, ok)
        assert breaker.allow(KEY)
    for _ in range(2):
        breaker.record(KEY, False)
    assert not breaker.allow(KEY)


def test_keys_do_not_disturb_each_other() -> None:
    breaker = CircuitBreaker(Clock())
    for _ in range(5):
        breaker.record(KEY, False)
    assert breaker.allow(("app_2", "api.acmeweather.com"))
    assert breaker.retry_after_seconds(("app_2", "api.acmeweather.com")) == 0.0


def test_half_open_lets_one_probe_through() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    for _ in range(5):
        breaker.record(KEY, False)
    clock.now = 29.9
    assert not breaker.allow(KEY)
    clock.now = 30.0
    assert [breaker.allow(KEY) for _ in range(3)] == [True, False, False]
    breaker.record(KEY, True)
    assert breaker.allow(KEY)


def test_failed_probe_opens_it_again() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    for _ in range(5):
        breaker.record(KEY, False)
    clock.now = 30.0
    assert breaker.allow(KEY)
    breaker.record(KEY, False)
    clock.now = 59.9
    assert not breaker.allow(KEY)
    clock.now = 60.0
    assert breaker.allow(KEY)


def test_lost_probe_gives_way_to_another() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    for _ in range(5):
        breaker.record(KEY, False)
    clock.now = 30.0
    assert breaker.allow(KEY)
    clock.now = 60.0
    assert breaker.allow(KEY)


def test_late_outcomes_do_not_close_an_open_key() -> None:
    breaker = CircuitBreaker(Clock())
    for _ in range(5):
        breaker.record(KEY, False)
    breaker.record(KEY, True)
    assert not breaker.allow(KEY)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 1.0, 29.0, 30.0])), max_size=120))
def test_it_agrees_with_a_plain_model(steps: list[tuple[bool, float]]) -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    history: list[bool] = []
    open_until: float | None = None
    for is_ok, pause in steps:
        clock.now += pause
        is_allowed = breaker.allow(KEY)
        assert is_allowed == (open_until is None or clock.now >= open_until)
        if not is_allowed:
            continue
        breaker.record(KEY, is_ok)
        is_probe, open_until = open_until is not None, None
        history = [] if is_probe else [*history, is_ok]
        has_tripped = history[-5:] == [False] * 5 or history[-20:].count(False) > 10
        if (is_probe and not is_ok) or has_tripped:
            open_until = clock.now + 30
