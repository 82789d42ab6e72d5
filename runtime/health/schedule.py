"""When an app is checked next: in a place within the minute that its id gives it."""

import zlib
from datetime import UTC, datetime, timedelta

INTERVAL = timedelta(seconds=60)
# What was checked out of turn, or late, is not checked again at once by its next turn.
LEAST_PAUSE = timedelta(seconds=15)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def phase_of(app_id: str) -> timedelta:
    """Return an app's place within each interval; the places of many apps are spread evenly."""
    return zlib.crc32(app_id.encode()) % (INTERVAL // _MILLISECOND) * _MILLISECOND


def next_turn(app_id: str, now: datetime) -> datetime:
    """Return an app's next turn, 15 to 75 seconds from now; for one that is checked on time exactly 60 after its last.

    Turns that were missed are not made up for, so that a pause of any length costs one check an app.
    """
    earliest = now + LEAST_PAUSE - phase_of(app_id)
    return _EPOCH + -(-(earliest - _EPOCH) // INTERVAL) * INTERVAL + phase_of(app_id)
