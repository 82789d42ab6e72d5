"""When apps are due for a health check: spread over the minute, steady, and caught up once."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aiffinity.lib.ids import new_id
from runtime.health.schedule import INTERVAL, LEAST_PAUSE, next_turn, phase_of

MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_ten_thousand_apps_are_spread_over_the_minute():
    seconds = Counter(phase_of(new_id("app")) // timedelta(seconds=1) for _ in range(10_000))
    assert set(seconds) == set(range(60))
    # 167 a second on average, with a standard deviation of 13.
    assert max(seconds.values()) < 167 + 6 * 13


@given(MOMENTS, st.text(max_size=40))
def test_the_next_turn_is_the_apps_own_place_15_to_75_seconds_away(now, app_id):
    turn = next_turn(app_id, now)
    assert LEAST_PAUSE <= turn - now < LEAST_PAUSE + INTERVAL
    assert (turn - datetime(1970, 1, 1, tzinfo=UTC)) % INTERVAL == phase_of(app_id)


@given(MOMENTS, st.integers(0, 44_999))
def test_a_check_that_is_less_than_45_seconds_late_keeps_the_minute(now, late_ms):
    turn = next_turn("app_1", now)
    assert next_turn("app_1", turn + timedelta(milliseconds=late_ms)) == turn + INTERVAL


@given(MOMENTS, st.integers(1, 10_000))
def test_a_pause_of_any_length_leaves_one_turn(now, missed_minutes):
    turn = next_turn("app_1", now)
    caught_up_at = turn + missed_minutes * INTERVAL + timedelta(seconds=1)
    assert next_turn("app_1", caught_up_at) == turn + (missed_minutes + 1) * INTERVAL
