"""Plain admin pages of the packages room: everything is read-only, POST buttons call the verbs (spec 3 "Reviewing")."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from aiffinity.lib.errors import PermissionDenied, PlatformError
from packages import policy, reviewing, suspension
from packages.drift import compare
from packages.guards import REVIEW_PERMISSION, Attempt, Role
from packages.models import Package, Review, ReviewDecision, ValidationRun, Version
from packages.states import allowed_verbs
from providers.models import User
from runtime.admin import ReadOnlyAdmin

SUSPEND_PERMISSION = "packages.suspend_package"

Step = Callable[[Any, Attempt], Any]
VERSION_STEPS: dict[str, tuple[str, Step]] = {
    "claim": (REVIEW_PERMISSION, reviewing.claim_version),
    "release": (REVIEW_PERMISSION, reviewing.release_version),
    "approve": (REVIEW_PERMISSION, reviewing.approve_version),
    "request_changes": (REVIEW_PERMISSION, reviewing.request_changes),
    "reject": (REVIEW_PERMISSION, reviewing.reject_version),
    "suspend": (SUSPEND_PERMISSION, suspension.suspend_version),
    "resume": (SUSPEND_PERMISSION, suspension.resume_version),
}
PACKAGE_STEPS: dict[str, tuple[str, Step]] = {
    "suspend": (SUSPEND_PERMISSION, suspension.suspend_package),
    "resume": (SUSPEND_PERMISSION, suspension.resume_package),
}


class StepAdmin(ReadOnlyAdmin):
    """A read-only page with a POST button for each verb that the state and the permissions allow."""

    steps: dict[str, tuple[str, Step]] = {}

    def open_steps(self, row: Any) -> list[str]:
        """Return the steps that the row's state allows."""
        raise TypeError(f"{type(self).__name__} doesn't say which steps are open.")

    def hashes(self, row: Any) -> dict[str, str]:
        """Return the hashes of what the page shows; a decision carries them back."""
        return {}

    def get_urls(self) -> list[URLPattern]:
        """Add the address that the buttons post to."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_step"
        view = self.admin_site.admin_view(self.take_step)
        return [path("<str:pk>/step/<str:step>/", view, name=name), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page with its buttons."""
        row = self.get_object(request, object_id)
        context = {
            **(extra_context or {}),
            "steps": self._buttons(request, row),
            "hashes": self.hashes(row) if row else {},
        }
        return super().change_view(request, object_id, form_url, context)

    def take_step(self, request: HttpRequest, pk: str, step: str) -> HttpResponse:
        """Call the verb of a button and say what came of it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[pk])
        try:
            permission, verb = self._step(step)
            if not request.user.has_perm(permission):
                raise PermissionDenied("Your groups don't allow this.")
            verb(row, self._attempt(request))
        except PlatformError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, f"Done: {step.replace('_', ' ')}.")
        return redirect(back)

    def _step(self, step: str) -> tuple[str, Step]:
        if step not in self.steps:
            raise PermissionDenied(f"There is no step '{step}'.")
        return self.steps[step]

    def _buttons(self, request: HttpRequest, row: Any) -> list[dict[str, str]]:
        if row is None:
            return []
        names = [name for name in self.open_steps(row) if request.user.has_perm(self.steps[name][0])]
        target = f"admin:{self.opts.app_label}_{self.opts.model_name}_step"
        return [
            {"label": name.replace("_", " ").capitalize(), "url": reverse(target, args=[row.pk, name])}
            for name in names
        ]

    def _attempt(self, request: HttpRequest) -> Attempt:
        if not isinstance(request.user, User):
            raise PermissionDenied
        return Attempt(
            actor=f"user:{request.user.pk}",
            role=Role.REVIEWER,
            user=request.user,
            reason=request.POST.get("reason", "")[:2000],
            seen_content_hash=request.POST.get("content_hash", ""),
            seen_config_hash=request.POST.get("config_hash", ""),
        )


@admin.register(Version)
class VersionAdmin(StepAdmin):
    """Versions with what a reviewer decides on."""

    steps = VERSION_STEPS
    change_form_template = "admin/packages/step_form.html"
    list_display = ("package", "version", "risk_tier", "state", "first_submitted_at", "updated_at")
    list_filter = ("state", "risk_tier")
    list_select_related = ("package",)
    search_fields = ("id", "package__name", "package__slug", "package__account__company_name")
    ordering = ("first_submitted_at", "-created_at")
    exclude = ("capabilities",)
    readonly_fields = ("state", "listing", "descriptors", "gates", "drift", "newest_validation", "review_state")

    def open_steps(self, row: Version) -> list[str]:
        """Return the steps that the version's state allows reviewers."""
        return [verb for verb in allowed_verbs(row.state, Role.REVIEWER) if verb in self.steps]

    def hashes(self, row: Version) -> dict[str, str]:
        """Return the hashes that an approval binds."""
        return {"content_hash": row.content_hash, "config_hash": policy.config_hash_of(row)}

    @admin.display(description="Listing")
    def listing(self, row: Version) -> str:
        """Show the listing as it will be."""
        package = row.package
        texts = {
            "publisher": package.account.company_name,
            "name": package.name,
            "slug": package.slug,
            "description": package.description,
            "category": package.category,
            "keywords": ", ".join(package.keywords),
            "support_url": package.support_url,
            "privacy_policy_url": package.privacy_policy_url,
        }
        return format_html("<pre>{}</pre>", "\n".join(f"{name}: {text}" for name, text in texts.items()))

    @admin.display(description="Capabilities")
    def descriptors(self, row: Version) -> str:
        """Show the frozen descriptors."""
        return _as_pre(row.capabilities)

    @admin.display(description="Gates")
    def gates(self, row: Version) -> str:
        """Show every gate with its message."""
        results = policy.evaluate_gates(row)
        lines = [f"{'pass' if gate.passed else 'FAIL'}  {gate.name}: {gate.message}" for gate in results]
        return format_html("<pre>{}</pre>", "\n".join(lines))

    @admin.display(description="Drift against the listed version")
    def drift(self, row: Version) -> str:
        """Show what changed since users have something."""
        base = policy.listed_base_of(row)
        if base is None:
            return "First listing"
        changes = compare(base.capabilities, row.capabilities).changes
        lines = [f"{change.level}  {change.pointer}: {change.message}" for change in changes]
        return format_html("<pre>{}</pre>", "\n".join([f"against {base.version}", *lines]))

    @admin.display(description="Newest validation run")
    def newest_validation(self, row: Version) -> str:
        """Show score and failed checks."""
        run = row.validation_runs.order_by("-created_at", "-pk").first()
        if run is None:
            return "None"
        failed = [
            f"{item['check']} {item['pointer']}: {item['message']}" for item in run.checks if item["state"] == "fail"
        ]
        return format_html("<pre>{}</pre>", "\n".join([f"{run.state}, score {run.score}", *failed]))

    @admin.display(description="Review")
    def review_state(self, row: Version) -> str:
        """Show who holds the claim, and earlier decisions."""
        lines = []
        for review in row.reviews.select_related("claimed_by").prefetch_related("decisions__reviewer"):
            holder = f"claimed by {review.claimed_by} until {review.claim_expires_at}" if review.claimed_by else "free"
            lines.append(f"{review.pk} opened {review.opened_at}: {'closed' if review.closed_at else holder}")
            lines += [f"  {each.decision} by {each.reviewer}: {each.comment}" for each in review.decisions.all()]
        return format_html("<pre>{}</pre>", "\n".join(lines) or "None")


@admin.register(Package)
class PackageAdmin(StepAdmin):
    """Packages; suspending one stops all that it has."""

    steps = PACKAGE_STEPS
    change_form_template = "admin/packages/step_form.html"
    list_display = ("name", "slug", "account", "install_count", "listed_at", "suspended_at", "deprecated_at")
    list_select_related = ("account",)
    search_fields = ("id", "name", "slug", "account__company_name")

    def open_steps(self, row: Package) -> list[str]:
        """Return suspend, or resume for what is suspended."""
        return ["resume" if row.suspended_at else "suspend"]


@admin.register(ValidationRun)
class ValidationRunAdmin(ReadOnlyAdmin):
    """Validation runs."""

    list_display = ("id", "version", "state", "score", "attempts_made", "created_at", "finished_at")
    list_filter = ("state",)
    list_select_related = ("version",)
    search_fields = ("id", "version__id", "version__package__slug")


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    """Cases before reviewers."""

    list_display = ("id", "version", "opened_at", "claimed_by", "claim_expires_at", "closed_at")
    list_select_related = ("version", "claimed_by")
    search_fields = ("id", "version__id", "version__package__slug")


@admin.register(ReviewDecision)
class ReviewDecisionAdmin(ReadOnlyAdmin):
    """Decisions, with the hashes of what was seen."""

    list_display = ("review", "decision", "reviewer", "created_at")
    list_filter = ("decision",)
    list_select_related = ("review", "reviewer")


def _as_pre(value: Any) -> str:
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False))
