"""What an answer, or none, means for a delivery (spec 4 "Events and webhooks")."""

import codecs
import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from aiffinity.lib.outbound import OutboundError, OutboundResponse
from runtime.deliveries.claims import Claim
from runtime.deliveries.retries import LONGEST_DELAY, plan_retry
from runtime.models import DeliveryStatus

EXCERPT_BYTES = 2048
MAX_ERROR_LENGTH = 200
WAITING_STATUSES = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
MAX_SECONDS_DIGITS = 9
_SECONDS = re.compile(r"\A[0-9]+\Z")


@dataclass(frozen=True)
class Attempt:
    """One attempt as it is kept; `status_code` is None where no answer came, and `error` says why."""

    attempted_at: datetime
    status_code: int | None
    latency_ms: int
    excerpt: str
    error: str


@dataclass(frozen=True)
class Result:
    """What becomes of a claimed delivery; without an attempt it was stopped and nothing was sent.

    `retry_at` of a pending one is its next attempt. One that `is_gone` has it too: it comes back then if the answer
    turns out to be that of an address, or a profile, of before.
    """

    claim: Claim
    status: DeliveryStatus
    error: str
    attempt: Attempt | None = None
    retry_at: datetime | None = None
    is_gone: bool = False

    @property
    def next_attempt_at(self) -> datetime | None:
        """Return when a delivery that stays pending is tried next."""
        return self.retry_at if self.status == DeliveryStatus.PENDING else None


def judge(claim: Claim, answer: OutboundResponse | OutboundError, *, attempted_at: datetime, now: datetime) -> Result:
    """Decide by the answer: any 2xx is success, 410 ends it for good, everything else is tried again.

    429 and 503 may ask for more patience by Retry-After. A redirect is a failure like any other.
    """
    attempt = _describe(answer, attempted_at)
    if isinstance(answer, OutboundResponse) and answer.is_success:
        return Result(claim, DeliveryStatus.DELIVERED, "", attempt)
    is_gone = attempt.status_code == HTTPStatus.GONE
    retry_at = plan_retry(
        claim.target.policy,
        attempts_made=claim.attempts_in_series + 1,
        started_at=claim.series_started_at or attempted_at,
        now=now,
        chance=random.random(),  # noqa: S311 - Jitter is no secret.
        retry_after=_retry_after(answer, now),
    )
    status = DeliveryStatus.FAILED if is_gone or retry_at is None else DeliveryStatus.PENDING
    return Result(claim, status, attempt.error, attempt, retry_at, is_gone=is_gone)


def stopped(claim: Claim) -> Result:
    """End a delivery whose endpoint or app gets none any more."""
    return Result(claim, DeliveryStatus.FAILED, claim.target.stop_reason)


def _describe(answer: OutboundResponse | OutboundError, attempted_at: datetime) -> Attempt:
    latency_ms = round(answer.elapsed_ms)
    if isinstance(answer, OutboundError):
        return Attempt(attempted_at, None, latency_ms, "", answer.message[:MAX_ERROR_LENGTH])
    return Attempt(attempted_at, answer.status, latency_ms, _excerpt(answer.body), _error_of(answer))


def _error_of(answer: OutboundResponse) -> str:
    if answer.is_success:
        return ""
    if answer.status == HTTPStatus.GONE:
        return "The endpoint answered 410: it wants no more deliveries."
    if 300 <= answer.status < 400:
        return f"The endpoint answered {answer.status}; redirects are not followed."
    return f"The endpoint answered {answer.status}."


def _excerpt(body: bytes) -> str:
    """Return the first 2 KiB as text, without the part of a character at which they were cut off."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    text = decoder.decode(body[:EXCERPT_BYTES], final=len(body) <= EXCERPT_BYTES)
    # PostgreSQL's text holds no NUL.
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _retry_after(answer: OutboundResponse | OutboundError, now: datetime) -> timedelta | None:
    if isinstance(answer, OutboundError) or answer.status not in WAITING_STATUSES:
        return None
    return parse_retry_after(answer.headers.get("retry-after", ""), now)


def parse_retry_after(value: str, now: datetime) -> timedelta | None:
    """Read seconds or an HTTP date as a time from now; None where it is neither or lies behind (RFC 9110).

    A number of seconds may have any size; one with more digits than a life has stands for the longest delay.
    """
    value = value.strip()
    if _SECONDS.match(value):
        digits = value.lstrip("0")
        return timedelta(seconds=int(digits or "0")) if len(digits) <= MAX_SECONDS_DIGITS else LONGEST_DELAY
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment - now if moment > now else None
