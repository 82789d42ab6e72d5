"""The retry schedule stays within the policy's bounds."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from runtime.deliveries.retries import RetryPolicy, backoff, plan_retry

START = datetime(2026, 4, 4, 10, 0, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
DEFAULT = RetryPolicy(max_retries=18, initial_delay_ms=1000, max_delay_ms=14_400_000, max_elapsed_hours=24)

policies = st.builds(
    RetryPolicy,
    max_retries=st.integers(0, 30),
    initial_delay_ms=st.integers(100, 60_000),
    max_delay_ms=st.integers(100, 14_400_000),
    max_elapsed_hours=st.integers(1, 72),
)
chances = st.floats(0, 1)


@given(policy=policies, retry_number=st.integers(1, 30), chance=chances)
def test_delays_are_within_20_percent_of_the_capped_exponential(policy: RetryPolicy, retry_number: int, chance: float):
    nominal = MILLISECOND * min(policy.initial_delay_ms * 2 ** (retry_number - 1), policy.max_delay_ms)
    delay = backoff(policy, retry_number, chance=chance)
    assert nominal * 0.8 - MILLISECOND <= delay <= nominal * 1.2 + MILLISECOND


@given(
    policy=policies,
    chances=st.lists(chances, min_size=40, max_size=40),
    waits=st.lists(st.none() | st.timedeltas(timedelta(0), timedelta(days=9)), min_size=40, max_size=40),
)
def test_schedule_never_exceeds_retries_or_hours(
    policy: RetryPolicy, chances: list[float], waits: list[timedelta | None]
):
    now, attempts = START, 1
    for chance, wait in zip(chances, waits, strict=True):
        retry_at = plan_retry(
            policy, attempts_made=attempts, started_at=START, now=now, chance=chance, retry_after=wait
        )
        if retry_at is None:
            break
        assert now < retry_at <= START + timedelta(hours=policy.max_elapsed_hours)
        own_delay = MILLISECOND * policy.max_delay_ms * 1.2 + MILLISECOND
        assert retry_at - now <= max(own_delay, min(wait or timedelta(0), timedelta(hours=4)))
        now, attempts = retry_at, attempts + 1
    assert attempts <= policy.max_retries + 1


def test_default_policy_tries_18_times_again_within_24_hours():
    now, attempts = START, 1
    while retry_at := plan_retry(DEFAULT, attempts_made=attempts, started_at=START, now=now, chance=0.5):
        now, attempts = retry_at, attempts + 1
    assert attempts == 19
    assert timedelta(hours=20) < now - START < timedelta(hours=24)


def test_no_retry_policy_gives_up_at_once():
    policy = RetryPolicy(0, 1000, 1000, 24)
    assert plan_retry(policy, attempts_made=1, started_at=START, now=START, chance=0.5) is None


def test_hours_end_the_retries_before_their_count_does():
    policy = RetryPolicy(30, 60_000, 14_400_000, 1)
    late = START + timedelta(minutes=59, seconds=30)
    assert plan_retry(policy, attempts_made=2, started_at=START, now=late, chance=0.5) is None


def test_retry_after_puts_off_beyond_the_policys_delays_up_to_four_hours():
    policy = RetryPolicy(5, 1000, 300_000, 24)

    def retry_at(seconds: int) -> datetime | None:
        wait = timedelta(seconds=seconds)
        return plan_retry(policy, attempts_made=1, started_at=START, now=START, chance=0.5, retry_after=wait)

    assert retry_at(0) == START + timedelta(seconds=1)
    assert retry_at(120) == START + timedelta(seconds=120)
    assert retry_at(3600) == START + timedelta(hours=1)
    assert retry_at(36_000) == START + timedelta(hours=4)


def test_retry_after_past_the_deadline_means_one_last_attempt_at_it():
    policy = RetryPolicy(5, 1000, 14_400_000, 1)
    wait = timedelta(hours=2)
    planned = plan_retry(policy, attempts_made=1, started_at=START, now=START, chance=0.5, retry_after=wait)
    assert planned == START + timedelta(hours=1)
