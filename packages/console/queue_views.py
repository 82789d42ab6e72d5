"""The queue page of a tier, and the bulk actions on what is ticked there."""

from datetime import timedelta
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from packages.console.queue import KIND_WORDS, PAGE_SIZE, SHOWS, QueueFilter, open_counts, queue_rows
from packages.console.wording import hours_in_words
from packages.forecast import forecast
from packages.models import Review, RiskTier
from packages.reviewing.approvers import REVIEW_PERMISSION, SUSPEND_PERMISSION, TIER_SLOTS
from packages.reviewing.deadlines import LONG_SLA_BUSINESS_DAYS, LONG_SLA_TIERS, SHORT_SLA
from providers.models import User

PROMISES = {
    tier: f"{LONG_SLA_BUSINESS_DAYS} business days"
    if tier in LONG_SLA_TIERS
    else f"{SHORT_SLA // timedelta(hours=1)} hours"
    for tier in RiskTier
}


def show_queue(page: "ModelAdmin[Any]", request: HttpRequest, tier: str) -> HttpResponse:
    """Show one page of a tier's queue. Raises 404 for an unknown tier, 403 for who may not see reviews."""
    user = staff_user(page, request)
    known = tier_named(tier)
    asked = QueueFilter(
        show=request.GET.get("show", "all"), kind=request.GET.get("kind", ""), text=request.GET.get("q", "").strip()
    )
    now = timezone.now()
    found = asked.apply(Review.objects.queue(known), user, now)
    # The page's keys come from an index alone; its rows, which are wide, are read by key.
    shown = Paginator(found.values_list("pk", flat=True), PAGE_SIZE).get_page(request.GET.get("page"))
    reviews = list(Review.objects.queue(known).filter(pk__in=list(shown)))
    counts = open_counts()
    speed = forecast(known)
    context = {
        **page.admin_site.each_context(request),
        "title": f"{known.label.capitalize()} queue",
        "tier": known,
        "asked": asked,
        "shows": SHOWS,
        "kinds": [(kind.value, words) for kind, words in KIND_WORDS.items()],
        "tiers": [{"tier": each, "count": counts[each]} for each in RiskTier],
        "count": counts[known],
        "median": hours_in_words(speed.p50_hours),
        "slow": hours_in_words(speed.p90_hours),
        "promise": PROMISES[known],
        "shown": shown,
        "rows": queue_rows(reviews, user, now),
        "is_two_approvals": len(TIER_SLOTS[known.value]) > 1,
        "page_range": shown.paginator.get_elided_page_range(shown.number, on_each_side=2, on_ends=1),
        "query": _query_without_page(request),
        "may_review": user.has_perm(REVIEW_PERMISSION),
        "may_suspend": user.has_perm(SUSPEND_PERMISSION),
    }
    return TemplateResponse(request, "admin/console/queue.html", context)


def staff_user(page: "ModelAdmin[Any]", request: HttpRequest) -> User:
    """Return who is at the console. Raises Django's PermissionDenied (403) for who may not see reviews."""
    if not isinstance(request.user, User) or not page.has_view_permission(request):
        raise PermissionDenied
    return request.user


def tier_named(name: str) -> RiskTier:
    """Return the tier of a path. Raises 404 for an unknown one."""
    if name not in RiskTier.values:
        raise Http404
    return RiskTier(name)


def _query_without_page(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop("page", None)
    return query.urlencode()
