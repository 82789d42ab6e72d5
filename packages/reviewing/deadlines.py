"""Until when the platform promises a decision (spec 3 "Policy gates", the table of tiers)."""

from datetime import UTC, datetime, timedelta

SHORT_SLA = timedelta(hours=48)
LONG_SLA_BUSINESS_DAYS = 5
LONG_SLA_TIERS = ("high_trust", "strategic_surface")
SATURDAY = 5


def due_at(tier: str, since: datetime) -> datetime:
    """Return the end of the SLA: 48 hours, or five business days in UTC for the two highest tiers."""
    if tier in LONG_SLA_TIERS:
        return add_business_days(since.astimezone(UTC), LONG_SLA_BUSINESS_DAYS)
    return since + SHORT_SLA


def add_business_days(start: datetime, days: int) -> datetime:
    """Return the same time of day so many days from Monday to Friday later."""
    moment = start
    while days > 0:
        moment += timedelta(days=1)
        if moment.weekday() < SATURDAY:
            days -= 1
    return moment
