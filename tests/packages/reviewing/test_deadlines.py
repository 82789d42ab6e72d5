"""The SLA of each tier, in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from packages.reviewing.deadlines import due_at

FRIDAY_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize("tier", ["data_only", "action_capable"])
def test_short_sla_is_48_hours_whatever_the_day(tier: str) -> None:
    assert due_at(tier, FRIDAY_NOON) == FRIDAY_NOON + timedelta(hours=48)


@pytest.mark.parametrize("tier", ["high_trust", "strategic_surface"])
@pytest.mark.parametrize(
    ("start", "end"),
    [
        (datetime(2026, 11, 16, 9, tzinfo=UTC), datetime(2026, 11, 23, 9, tzinfo=UTC)),
        (FRIDAY_NOON, datetime(2026, 11, 27, 12, tzinfo=UTC)),
        (datetime(2026, 11, 21, 12, tzinfo=UTC), datetime(2026, 11, 27, 12, tzinfo=UTC)),
        (datetime(2026, 11, 22, 23, tzinfo=UTC), datetime(2026, 11, 27, 23, tzinfo=UTC)),
        # Saturday in Tokyo is still Friday in UTC.
        (datetime(2026, 11, 21, 8, tzinfo=timezone(timedelta(hours=9))), datetime(2026, 11, 27, 23, tzinfo=UTC)),
    ],
)
def test_long_sla_is_five_business_days(tier: str, start: datetime, end: datetime) -> None:
    assert due_at(tier, start) == end
