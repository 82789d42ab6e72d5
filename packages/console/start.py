"""The start page: the four queues, and what one holds oneself."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from packages.console.queue import open_counts, queue_rows
from packages.models import Review, RiskTier
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
        "tiers": [{"tier": tier, "count": counts[tier]} for tier in RiskTier],
        "rows": queue_rows(list(reviews), user, now),
    }
