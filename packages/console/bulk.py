"""Bulk approval and bulk suspension: what is ticked in the queue, its blast radius, and one verb for all."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from aiffinity.lib.errors import PlatformError
from packages.console.actions import REVIEW, SUSPEND
from packages.console.queue_views import staff_user, tier_named
from packages.console.review_views import CONFIRMED
from packages.models import Review, Version, VersionState
from packages.reviewing.bulk import blast_radius, bulk_approve, bulk_suspend
from providers.models import User
from runtime.models import RuntimeApp

BULK_PERMISSIONS = {"approve": REVIEW, "suspend": SUSPEND}
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
    comment = request.POST.get("comment", "").strip()
    if CONFIRMED in request.POST and comment:
        _tell(request, name, _run(request, name, reviews, user, comment))
        return redirect(back)
    return _preview(page, request, known.value, name, reviews)


def _ticked(request: HttpRequest) -> list[Review]:
    keys = request.POST.getlist("review")[:MAX_TICKED]
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
    apps = [review.version.package.app_id for review in reviews]
    configs = dict(RuntimeApp.objects.filter(pk__in=apps).values_list("pk", "config_hash"))
    return [
        f"{review.pk}:{review.version.content_hash}:{configs.get(review.version.package.app_id, '')}"
        for review in reviews
    ]


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
    page: "ModelAdmin[Any]", request: HttpRequest, tier: str, name: str, reviews: list[Review]
) -> HttpResponse:
    versions = [review.version for review in reviews] if name == "approve" else _listed_of(reviews)
    context = {
        **page.admin_site.each_context(request),
        "title": f"Bulk {name}",
        "tier": tier,
        "name": name,
        "reviews": reviews,
        "versions": versions,
        "seen": _seen(reviews),
        "blast": blast_radius(versions),
        "has_no_comment": CONFIRMED in request.POST,
    }
    return TemplateResponse(request, "admin/console/bulk.html", context)
