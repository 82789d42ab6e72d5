"""When an endpoint is left alone for a while: its breaker, kept in the database for all workers (spec 4).

It opens when the last 5 outcomes were failures, or more than half of the last 20, and stays so for 30 s; then
one delivery is sent as a probe (`claims`), whose success closes it. A failing delivery counts once, however
often it is tried: its own backoff spaces its retries, so that a single one keeps to the policy's times.
"""

from datetime import timedelta
from http import HTTPStatus

FAILURES_IN_ROW = 5
WINDOW = 20
OPEN_FOR = timedelta(seconds=30)
_SUCCESS = ""


def is_down(status_code: int | None) -> bool:
    """Say whether an attempt shows an endpoint that can't cope: no answer, 5xx or 429.

    Any other answer, a refusal too, comes from a server that works.
    """
    return (
        status_code is None
        or status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        or status_code == HTTPStatus.TOO_MANY_REQUESTS
    )


def note_outcome(recent: list[str], delivery_id: str, *, is_failure: bool) -> list[str]:
    """Return the latest outcomes with one more: ids of deliveries that failed, empty texts for the others.

    The list is empty where no failure is in sight, so that a healthy endpoint's row needs no change.
    """
    outcomes = [each for each in recent if each != delivery_id] + [delivery_id if is_failure else _SUCCESS]
    return outcomes[-WINDOW:] if any(outcomes[-WINDOW:]) else []


def has_tripped(recent: list[str]) -> bool:
    """Say whether these outcomes open the breaker."""
    failures = [each != _SUCCESS for each in recent]
    is_row = len(failures) >= FAILURES_IN_ROW and all(failures[-FAILURES_IN_ROW:])
    return is_row or sum(failures) * 2 > WINDOW
