"""The start page: the four queues, and what one holds oneself."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from packages.console.queue import TierCount, free_reviews, open_counts, queue_rows
from packages.models import Review, RiskTier
from packages.reviewing.approvers import REVIEW_PERMISSION
from providers.models import User


def start_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the queues and the own claims for who may see reviews."""
    user = request.user
    if not isinstance(user, User) or not user.has_perm("packages.view_review"):
        return context
    now, counts = timezone.now(), open_counts()
    held = Review.objects.filter(closed_at=None, claimed_by=user.pk, claim_expires_at__gt=now).order_by("due_at", "pk")
    reviews = held.select_related("claimed_by", "version__package__account", "version__package__app")
    return {
        **context,
        "tiers": [_start(tier, counts[tier], user, now) for tier in RiskTier],
        "may_review": user.has_perm(REVIEW_PERMISSION),
        "rows": queue_rows(list(reviews), user, now),
    }


def _start(tier: RiskTier, count: TierCount, user: User, now: datetime) -> dict[str, Any]:
    return {"tier": tier, "count": count, "next": free_reviews(tier, user, now).first() if count.waiting else None}
