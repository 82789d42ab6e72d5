"""When a failed delivery is tried again, and when it is given up (spec 4, spec 1 decision 23)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

JITTER = 0.2
LONGEST_DELAY = timedelta(hours=4)


@dataclass(frozen=True)
class RetryPolicy:
    """The retry policy of a webhook profile."""

    max_retries: int
    initial_delay_ms: int
    max_delay_ms: int
    max_elapsed_hours: int


def backoff(policy: RetryPolicy, retry_number: int, *, chance: float) -> timedelta:
    """Return the time before a retry, the first being number 1: min(initial * 2^(number - 1), max) ± 20 %.

    `chance` is a random number from 0 to 1 that chooses the place within the 20 %.
    """
    nominal_ms = min(policy.initial_delay_ms * 2 ** (retry_number - 1), policy.max_delay_ms)
    return timedelta(milliseconds=nominal_ms * (1 - JITTER + 2 * JITTER * chance))


def plan_retry(
    policy: RetryPolicy,
    *,
    attempts_made: int,
    started_at: datetime,
    now: datetime,
    chance: float,
    retry_after: timedelta | None = None,
) -> datetime | None:
    """Return when to try again after an attempt that failed, or None where a bound of the policy is reached.

    `attempts_made` counts the series, this attempt included; `started_at` is its first attempt. What the
    endpoint asks for by Retry-After can put the retry off beyond the policy's own delays, by no more than the
    longest delay that any policy may have, and not past the deadline.
    """
    deadline = started_at + timedelta(hours=policy.max_elapsed_hours)
    retry_at = now + backoff(policy, attempts_made, chance=chance)
    if attempts_made > policy.max_retries or retry_at > deadline:
        return None
    if retry_after is not None:
        asked_for = now + min(retry_after, LONGEST_DELAY)
        retry_at = min(max(retry_at, asked_for), deadline)
    return retry_at
