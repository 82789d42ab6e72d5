"""The approvals that the database asks for before it takes a listed version above data_only."""

from django.utils import timezone

from aiffinity.lib.ids import new_id
from packages.models import Review, ReviewDecision, Version
from providers.models import User


def approve_as_rows(version: Version, config_hash: str) -> None:
    """Write the approvals that a version's tier needs, as a closed case: the database asks for them."""
    if version.risk_tier == "data_only":
        return
    now = timezone.now()
    review = Review.objects.create(
        version=version, tier=version.risk_tier, first_submitted_at=now, queued_at=now, due_at=now, closed_at=now
    )
    for number in range(1 if version.risk_tier == "action_capable" else 2):
        ReviewDecision.objects.create(
            review=review,
            reviewer=User.objects.create_user(f"{new_id('approver')}@aiffinity.me".lower(), None, is_staff=True),
            decision="approve",
            content_hash=version.content_hash,
            config_hash=config_hash,
            is_security=number == 0,
            is_architecture=number == 1,
        )
