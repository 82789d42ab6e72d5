"""Bulk approval and bulk suspension: what is ticked in the queue, its blast radius, and one verb for all."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from aiffinity.lib.errors import PlatformError
from packages.console.forms import BulkForm
from packages.console.queue import queue_rows
from packages.console.queue_views import staff_user, tier_named
from packages.console.review_views import CONFIRMED
from packages.models import Review, Version, VersionState
from packages.policy import config_hashes_of
from packages.reviewing.approvers import REVIEW_PERMISSION, SUSPEND_PERMISSION
from packages.reviewing.bulk import blast_radius, bulk_approve, bulk_suspend
from providers.models import User

BULK_PERMISSIONS = {"approve": REVIEW_PERMISSION, "suspend": SUSPEND_PERMISSION}
LABELS = {"approve": "Comment to the providers", "suspend": "Why; the providers read it"}
MAX_TICKED = 100


def bulk_action(page: "ModelAdmin[Any]", request: HttpRequest, tier: str, name: str) -> HttpResponse:
    """Show what a bulk action would reach, and call its verb when that is confirmed."""
    user = staff_user(page, request)
    known = tier_named(tier)
    if name not in BULK_PERMISSIONS:
        raise Http404
    if not user.has_perm(BULK_PERMISSIONS[name]):
        raise PermissionDenied
    back = reverse("admin:packages_review_queue", args=[known.value])
    reviews = _ticked(request)
    if request.method != "POST" or not reviews:
        messages.warning(request, "Tick at least one review first.")
        return redirect(back)
    form = BulkForm(request.POST if CONFIRMED in request.POST else None, auto_id="%s", label=LABELS[name])
    if form.is_bound and form.is_valid():
        _tell(request, name, _run(request, name, reviews, user, form.cleaned_data["comment"]))
        return redirect(back)
    return _preview(page, request, known.value, name, reviews, form)


def _ticked(request: HttpRequest) -> list[Review]:
    keys = [key for key in request.POST.getlist("review") if "\x00" not in key][:MAX_TICKED]
    found = Review.objects.filter(pk__in=keys, closed_at=None).order_by("due_at", "pk")
    return list(found.select_related("claimed_by", "version__package__account", "version__package__app"))


def _run(
    request: HttpRequest, name: str, reviews: list[Review], user: User, comment: str
) -> list[tuple[str, PlatformError | None]]:
    if name == "approve":
        seen = {key: (content, config) for key, content, config in map(_split, request.POST.getlist("seen"))}
        approved = bulk_approve(reviews, reviewer=user, comment=comment, seen=seen)
        return [(_title(review.version), error) for review, error in approved]
    found = bulk_suspend(_listed_of(reviews), reviewer=user, reason=comment)
    return [(_title(version), error) for version, error in found]


def _split(value: str) -> tuple[str, str, str]:
    key, _, hashes = value.partition(":")
    content, _, config = hashes.partition(":")
    return key, content, config


def _seen(reviews: list[Review]) -> list[str]:
    """Return what the preview shows of each review: its id and the hashes of content and configuration."""
    configs = config_hashes_of([review.version for review in reviews])
    return [f"{review.pk}:{review.version.content_hash}:{configs[review.version_id]}" for review in reviews]


def _listed_of(reviews: list[Review]) -> list[Version]:
    """Return what the ticked packages have listed now: that is what a suspension stops."""
    packages = [review.version.package_id for review in reviews]
    listed = Version.objects.filter(package__in=packages, state=VersionState.LISTED)
    return list(listed.select_related("package__account", "package__app").order_by("package__name"))


def _title(version: Version) -> str:
    return f"{version.package.name} {version.version}"


def _tell(request: HttpRequest, name: str, results: list[tuple[str, PlatformError | None]]) -> None:
    done = sum(1 for _, error in results if error is None)
    word = "Approved" if name == "approve" else "Suspended"
    if done:
        messages.success(request, f"{word} {done} of {len(results)}.")
    for title, error in results:
        if error is not None:
            messages.error(request, f"{title}: {error.message}")


def _preview(
    page: "ModelAdmin[Any]", request: HttpRequest, tier: str, name: str, reviews: list[Review], form: BulkForm
) -> HttpResponse:
    is_approval = name == "approve"
    versions = [review.version for review in reviews] if is_approval else _listed_of(reviews)
    context = {
        **page.admin_site.each_context(request),
        "title": f"Bulk {name}",
        "tier": tier,
        "name": name,
        "reviews": reviews,
        "rows": queue_rows(reviews, staff_user(page, request), timezone.now()) if is_approval else [],
        "versions": versions,
        "seen": _seen(reviews),
        "blast": blast_radius(versions),
        "form": form,
    }
    return TemplateResponse(request, "admin/console/bulk.html", context, status=422 if form.is_bound else 200)
