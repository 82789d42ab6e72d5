"""The review page, and the actions that are posted from it."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from aiffinity.lib.errors import PlatformError
from aiffinity.lib.staff_messages import tell_failure
from packages.console.actions import ACTIONS, Action, shown_actions
from packages.console.forms import SeenForm
from packages.console.previews import preview_text
from packages.console.queue_views import staff_user
from packages.console.review_page import review_context, seen_hashes
from packages.models import CannedText, Review
from packages.reviewing.approvers import approvals_missing
from packages.reviewing.bulk import blast_radius
from providers.models import User

CONFIRMED = "confirmed"


def show_review(page: "ModelAdmin[Any]", request: HttpRequest, pk: str) -> HttpResponse:
    """Show a case with everything that a decision rests on."""
    user = staff_user(page, request)
    review = _review(pk)
    shown = review_context(review, user, timezone.now())
    context = {
        **page.admin_site.each_context(request),
        **shown,
        "title": f"{review.version.package.name} {review.version.version}",
        "actions": [
            (action, action.form(initial=shown["hashes"], auto_id=f"{action.name}-%s"))
            for action in shown_actions(review, user, shown["obstacle"])
        ],
        "canned_texts": CannedText.objects.all(),
    }
    return TemplateResponse(request, "admin/console/review.html", context)


def take_action(page: "ModelAdmin[Any]", request: HttpRequest, pk: str, name: str) -> HttpResponse:
    """Check what was filled in, show once more what will happen, and call the verb when that is confirmed."""
    user = staff_user(page, request)
    action = ACTIONS.get(name)
    if action is None:
        raise Http404
    if not user.has_perm(action.permission):
        raise PermissionDenied
    review = _review(pk)
    if request.method != "POST":
        return redirect(review_url(pk))
    form = action.form(request.POST, auto_id=f"{action.name}-%s")
    is_ready = form.is_valid() and (not action.is_previewed or CONFIRMED in request.POST)
    if not is_ready:
        return _preview(page, request, review, action, form, user)
    return _run(request, review, action, user, form)


def review_url(pk: str) -> str:
    """Return the path of a review's page."""
    return reverse("admin:packages_review_change", args=[pk])


def _run(request: HttpRequest, review: Review, action: Action, user: User, form: SeenForm) -> HttpResponse:
    try:
        action.run(review, user, form.cleaned_data)
    except PlatformError as error:
        tell_failure(request, action.label, error)
    else:
        messages.success(request, action.done)
    return redirect(review_url(review.pk))


def _preview(
    page: "ModelAdmin[Any]", request: HttpRequest, review: Review, action: Action, form: SeenForm, user: User
) -> HttpResponse:
    is_valid, hashes = form.is_valid(), seen_hashes(review.version)
    still_missing = approvals_missing(review, with_approval_by=user) if action.name == "approve" else []
    given = form.cleaned_data if is_valid else {}
    context = {
        **page.admin_site.each_context(request),
        "title": f"{action.label}: {review.version.package.name} {review.version.version}",
        "review": review,
        "version": review.version,
        "action": action,
        "form": form,
        "is_valid": is_valid,
        "is_changed": any(request.POST.get(name) != value for name, value in hashes.items()),
        "posted": [(name, value) for name in form.fields for value in request.POST.getlist(name)],
        "told": preview_text(action.name, review, given) if is_valid else "",
        "still_missing": still_missing,
        "is_partial": bool(still_missing),
        "blast": blast_radius([review.version]),
        "canned_texts": CannedText.objects.all(),
    }
    status = 200 if is_valid else 422
    return TemplateResponse(request, "admin/console/confirm.html", context, status=status)


def _review(pk: str) -> Review:
    found = Review.objects.select_related(
        "claimed_by", "version__package__account__owner", "version__package__app", "version__submitted_by"
    )
    return get_object_or_404(found, pk=pk)
