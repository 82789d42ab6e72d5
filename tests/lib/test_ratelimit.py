"""Rate limits: exact under a crowd, right over time, and there when Redis is not."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiffinity.lib.client_address import client_address
from aiffinity.lib.ratelimit import SCRIPT, Limit, LocalCounter, RateLimiter, connect_redis, limiter, redis_client

numbers = itertools.count()


def dead_limiter(tmp_path) -> RateLimiter:
    client = connect_redis(f"unix://{tmp_path}/nobody.sock")
    return RateLimiter(lambda: client)


def at(now: float, key: str, *, count: int, window: int = 60) -> list[int]:
    """Run the script as if the server's clock stood at `now`."""
    seconds, micros = int(now), int((now % 1) * 1_000_000)
    frozen = SCRIPT.replace("redis.call('TIME')", f"{{'{seconds}', '{micros}'}}")
    return list(redis_client().eval(frozen, 1, key, count, window))


def test_of_1000_parallel_calls_exactly_the_limit_is_allowed():
    limit = Limit("crowd", 137, window_seconds=3600)
    with ThreadPoolExecutor(16) as threads:
        verdicts = list(threads.map(lambda _: limiter.check(limit), range(1000)))
    allowed = [verdict for verdict in verdicts if verdict.is_allowed]
    assert len(allowed) == 137
    assert sorted(verdict.remaining for verdict in allowed) == list(range(137))


def test_a_verdict_becomes_headers():
    first = limiter.check(Limit("h", 2, window_seconds=3600))
    assert (first.headers()["X-RateLimit-Limit"], first.headers()["X-RateLimit-Remaining"]) == ("2", "1")
    assert 0 < int(first.headers()["X-RateLimit-Reset"]) - time.time() <= 3601
    assert "Retry-After" not in first.headers()
    limiter.check(Limit("h", 2, window_seconds=3600))
    refused = limiter.check(Limit("h", 2, window_seconds=3600)).headers()
    assert refused["X-RateLimit-Remaining"] == "0"
    assert int(refused["Retry-After"]) >= 1


def test_a_full_window_frees_up_little_by_little():
    start = 60 * 1_000_000
    for number in range(10):
        assert at(start + 59, "slide", count=10)[:2] == [1, 9 - number]
    assert at(start + 59.5, "slide", count=10)[0] == 0
    # At the end of the next window's first 6 seconds a tenth of the last one is out of sight.
    assert at(start + 65.9, "slide", count=10)[0] == 0
    assert at(start + 66.1, "slide", count=10)[0] == 1
    assert at(start + 66.2, "slide", count=10)[0] == 0
    # A window that nobody used is forgotten.
    assert at(start + 180, "slide", count=10)[:2] == [1, 9]


@given(
    steps=st.lists(st.floats(0.0, 40.0), min_size=1, max_size=30),
    count=st.integers(1, 8),
)
def test_after_the_seconds_of_retry_after_a_call_is_allowed(steps, count):
    now, key = 60_000_000.0, f"wait{next(numbers)}"
    for step in steps:
        now += step
        is_allowed, remaining, reset_at, wait = at(now, key, count=count)
        assert 0 <= remaining < count
        assert now <= reset_at <= now + 61
        if not is_allowed:
            assert 1 <= wait <= 121
            now += wait
            assert at(now, key, count=count)[0] == 1


@given(gaps=st.lists(st.floats(0.0, 10.0), min_size=30, max_size=60))
def test_no_window_ever_holds_twice_the_limit(gaps):
    now, key, allowed = 60_000_000.0, f"twice{next(numbers)}", []
    for gap in gaps:
        now += gap
        if at(now, key, count=5)[0]:
            allowed.append(now)
    for first in allowed:
        assert sum(first <= other < first + 60 for other in allowed) < 10


def test_without_redis_calls_are_allowed_and_said_so(tmp_path, caplog):
    away = dead_limiter(tmp_path)
    verdicts = [away.check(Limit("x", 1)) for _ in range(5)]
    assert all(verdict.is_allowed for verdict in verdicts)
    assert [record.getMessage() for record in caplog.records] == [
        "rate limits are off: Redis is away (ConnectionError)"
    ]


def test_without_redis_a_strict_limit_counts_in_the_process(tmp_path):
    away = dead_limiter(tmp_path)
    verdicts = [away.check(Limit("x", 3, window_seconds=3600), is_strict=True) for _ in range(5)]
    assert [verdict.is_allowed for verdict in verdicts] == [True, True, True, False, False]
    assert [verdict.remaining for verdict in verdicts] == [2, 1, 0, 0, 0]


def test_a_missing_redis_is_not_asked_again_at_once(tmp_path):
    away = dead_limiter(tmp_path)
    away.check(Limit("x", 1))
    began_at = time.perf_counter()
    for _ in range(1000):
        away.check(Limit("x", 1))
    assert time.perf_counter() - began_at < 0.5


def test_a_forgotten_limit_starts_afresh():
    limit = Limit("again", 1, window_seconds=3600)
    assert [limiter.check(limit).is_allowed for _ in range(2)] == [True, False]
    limiter.forget(limit)
    assert limiter.check(limit).is_allowed


def test_the_local_counter_starts_each_window_afresh_and_stays_small():
    clock = SimpleNamespace(now=1000.0)
    counter = LocalCounter(clock=lambda: clock.now)
    limit = Limit("k", 2, window_seconds=60)
    assert [counter.check(limit).is_allowed for _ in range(3)] == [True, True, False]
    clock.now = 1020.0
    assert counter.check(limit).is_allowed
    for number in range(10_500):
        counter.check(Limit(str(number), 1, window_seconds=60))
    clock.now = 1100.0
    counter.check(limit)
    assert len(counter._counts) == 1


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "1.1.1.1", "10.0.0.9"),
        (1, "1.1.1.1", "1.1.1.1"),
        (1, "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        (2, "6.6.6.6, 1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (2, "1.1.1.1", "10.0.0.9"),
        (1, "", "10.0.0.9"),
        (1, "not an address", "10.0.0.9"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "::ffff:1.2.3.4", "1.2.3.4"),
    ],
)
def test_as_many_hops_are_believed_as_there_are_proxies(rf, settings, proxies, forwarded, expected):
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/", REMOTE_ADDR="10.0.0.9", HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == expected
