"""Rate limits: one atomic script in Redis answers limit, remaining and reset in one trip (spec 2, spec 6)."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

# A sliding window out of two counters: the last window counts with the share of it that is still in sight.
# Times are the server's own, so that web processes with skewed clocks agree.
SCRIPT = """
local window = tonumber(ARGV[2])
local limit = tonumber(ARGV[1])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local index = math.floor(now / window)
local elapsed = now - index * window
local current_key = KEYS[1] .. ':' .. index
local current = tonumber(redis.call('GET', current_key) or '0')
local previous = tonumber(redis.call('GET', KEYS[1] .. ':' .. (index - 1)) or '0')
local used = previous * (1 - elapsed / window) + current
local reset = (index + 1) * window
if used + 1 > limit then
  local wait = window - elapsed
  if current + 1 <= limit then
    wait = window * (1 - (limit - current - 1) / previous) - elapsed
  elseif current > 0 then
    wait = wait + window * (1 - (limit - 1) / current)
  end
  return {0, 0, math.ceil(reset), math.max(1, math.ceil(wait))}
end
redis.call('INCR', current_key)
redis.call('EXPIRE', current_key, window * 2 + 1)
return {1, math.floor(limit - used - 1), math.ceil(reset), 0}
"""
PAUSE_AFTER_FAILURE_SECONDS = 2.0
LOCAL_KEYS_HELD = 10_000


@dataclass(frozen=True)
class Limit:
    """At most `count` calls in `window_seconds` under one `key`."""

    key: str
    count: int
    window_seconds: int = 60


@dataclass(frozen=True)
class Verdict:
    """What one check found; `reset_at` is epoch seconds."""

    is_allowed: bool
    limit: int
    remaining: int
    reset_at: int
    retry_after_seconds: int

    def headers(self) -> dict[str, str]:
        """Render the documents' three headers, and Retry-After on a refusal."""
        found = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_at),
        }
        if not self.is_allowed:
            found["Retry-After"] = str(self.retry_after_seconds)
        return found


def connect_redis(url: str) -> redis.Redis:
    """Make a client whose calls fail within the configured time."""
    return redis.Redis.from_url(
        url,
        socket_timeout=settings.REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=settings.REDIS_TIMEOUT_SECONDS,
        # One more attempt, at once: a connection that idled through a restart of Redis is dead.
        retry=Retry(NoBackoff(), 1),
    )


@lru_cache(maxsize=1)
def redis_client() -> redis.Redis:
    """Return the process's client of the configured Redis."""
    return connect_redis(settings.REDIS_URL)


class LocalCounter:
    """A fixed-window counter in this process, for what must not fail open."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, int, int], int] = {}

    def check(self, limit: Limit) -> Verdict:
        """Count one call."""
        now = self._clock()
        index = int(now // limit.window_seconds)
        reset_at = (index + 1) * limit.window_seconds
        with self._lock:
            if len(self._counts) > LOCAL_KEYS_HELD:
                self._drop_ended_windows(now)
            used = self._counts.get((limit.key, limit.window_seconds, index), 0)
            if used < limit.count:
                self._counts[(limit.key, limit.window_seconds, index)] = used + 1
        is_allowed = used < limit.count
        return Verdict(is_allowed, limit.count, max(0, limit.count - used - 1), reset_at, max(1, int(reset_at - now)))

    def _drop_ended_windows(self, now: float) -> None:
        self._counts = {
            (key, window_seconds, index): used
            for (key, window_seconds, index), used in self._counts.items()
            if (index + 1) * window_seconds > now
        }

    def forget(self, limit: Limit) -> None:
        """Drop the count of the current window."""
        with self._lock:
            index = int(self._clock() // limit.window_seconds)
            self._counts.pop((limit.key, limit.window_seconds, index), None)


class RateLimiter:
    """Checks limits in Redis; without Redis it allows (logged), or counts in the process where asked."""

    def __init__(self, client: Callable[[], redis.Redis]) -> None:
        self._client = client
        self._local = LocalCounter()
        self._retry_at = 0.0

    def check(self, limit: Limit, *, is_strict: bool = False) -> Verdict:
        """Count one call against a limit; never raises."""
        if time.monotonic() >= self._retry_at:
            try:
                return self._check_redis(limit)
            except redis.RedisError as exc:
                self._retry_at = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
                logger.warning("rate limits are off: Redis is away (%s)", type(exc).__name__)
        if is_strict:
            return self._local.check(limit)
        return Verdict(
            is_allowed=True,
            limit=limit.count,
            remaining=limit.count,
            reset_at=int(time.time()) + limit.window_seconds,
            retry_after_seconds=0,
        )

    def forget(self, limit: Limit) -> None:
        """Start a limit afresh, in both windows that still count."""
        self._local.forget(limit)
        now = time.time()
        index = int(now // limit.window_seconds)
        prefix = _redis_key(limit)
        try:
            self._client().delete(f"{prefix}:{index}", f"{prefix}:{index - 1}")
        except redis.RedisError as exc:
            logger.warning("a rate limit could not be reset: Redis is away (%s)", type(exc).__name__)

    def _check_redis(self, limit: Limit) -> Verdict:
        script = self._client().register_script(SCRIPT)
        is_allowed, remaining, reset_at, wait = script(
            keys=[_redis_key(limit)], args=[limit.count, limit.window_seconds]
        )
        return Verdict(bool(is_allowed), limit.count, int(remaining), int(reset_at), int(wait))


def _redis_key(limit: Limit) -> str:
    # The braces keep all windows of one limit on one node of a cluster.
    return f"rl:{{{limit.key}}}:{limit.window_seconds}"


limiter = RateLimiter(redis_client)
