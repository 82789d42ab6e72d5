"""Times in the words of the console: how long something waits, and how long there is left for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# From here on a review is shown as urgent.
URGENT_BELOW = timedelta(hours=8)

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


@dataclass(frozen=True)
class TimeLeft:
    """What is left until a due time; `tone` is `late`, `soon` or `fine`, `words` say the same."""

    words: str
    tone: str


def in_words(duration: timedelta) -> str:
    """Say a duration with its two largest units: `2 d 4 h`, `35 min`, `under a minute`."""
    rest = int(abs(duration.total_seconds()))
    parts: list[str] = []
    for seconds, unit in _UNITS:
        count, rest = divmod(rest, seconds)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(part for part in parts[:2] if part) or "under a minute"


def time_left(due_at: datetime, now: datetime) -> TimeLeft:
    """Say how much time is left until `due_at`, or by how much it is overdue."""
    left = due_at - now
    if left < timedelta(0):
        return TimeLeft(f"overdue by {in_words(left)}", "late")
    return TimeLeft(f"{in_words(left)} left", "soon" if left < URGENT_BELOW else "fine")


def hours_in_words(hours: float | None) -> str:
    """Say a forecast's hours; nothing is known before the first decisions."""
    return "not known yet" if hours is None else in_words(timedelta(hours=hours))
