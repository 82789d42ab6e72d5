"""Redis, the workers and the beat: what makes periodic work go on."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from aiffinity.lib.doctor import Finding, Severity, grade, in_words, overdue
from aiffinity.lib.heartbeats import last_heartbeat
from aiffinity.lib.ratelimit import redis_client

PING_SECONDS = 1.0
BEAT_WARNING = timedelta(seconds=60)
BEAT_FAULT = timedelta(minutes=10)
START_BEAT = "Start the beat (see Procfile); two of them do no harm. See that a worker and Redis are there too."


def examine_redis() -> Iterator[Finding]:
    """Find a Redis that is away, or there without an answer."""
    fault = _redis_fault()
    if fault:
        yield Finding(
            *fault,
            "Rate limits count in each process alone, and workers are not woken: webhooks and health checks wait.",
            "Start Redis again, and check REDIS_URL; it may be wiped, nothing in it is needed.",
        )


def examine_workers() -> Iterator[Finding]:
    """Find that no worker answers."""
    if _redis_fault():
        return
    try:
        control: Any = current_app.control
        answers = control.ping(timeout=PING_SECONDS)
    except (OperationalError, RedisError, OSError):
        return
    if not answers:
        yield Finding(
            "no_worker",
            Severity.FAULT,
            f"No worker answers within {PING_SECONDS:g} s.",
            "Webhooks, mails, validations and health checks wait until one runs.",
            "Start a worker (see Procfile), or look into its log for why it hangs.",
        )


def examine_beat() -> Iterator[Finding]:
    """Find that no wake-up of the beat arrived for a while."""
    heard_at = last_heartbeat()
    if heard_at is None:
        yield Finding(
            "beat_never_heard",
            Severity.WARNING,
            "No wake-up of the beat has ever arrived at a worker.",
            "What is put off (retries, health checks, expiries) is not looked for.",
            START_BEAT,
        )
        return
    severity = grade(overdue(heard_at), warn_after=BEAT_WARNING, fault_after=BEAT_FAULT)
    if severity is not None:
        yield Finding(
            "beat_silent",
            severity,
            f"The last wake-up of the beat arrived {in_words(overdue(heard_at))} ago.",
            "What is put off (retries, health checks, expiries) is looked for by chance only.",
            START_BEAT,
        )


def _redis_fault() -> tuple[str, Severity, str] | None:
    try:
        redis_client().ping()
    except RedisTimeoutError:
        return "redis_frozen", Severity.FAULT, "Redis takes connections and doesn't answer in time."
    except (RedisError, OSError) as exc:
        return "redis_away", Severity.FAULT, f"Redis can't be reached ({type(exc).__name__})."
    except ValueError:
        # What it says may hold a part of the address, and so of the password.
        return "redis_away", Severity.FAULT, "REDIS_URL is not the address of a Redis server."
    return None
