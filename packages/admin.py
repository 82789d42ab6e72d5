"""Admin pages of the packages room: rows are read-only, verbs change them; the review console is `packages.console`."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import URLField
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html

from aiffinity.lib.staff_pages import ReadOnlyAdmin, StaffAdmin
from aiffinity.lib.staff_steps import Step, StepAdmin
from packages import suspension
from packages.console.bulk import bulk_action
from packages.console.capabilities import pretty_json
from packages.console.queue_views import show_queue
from packages.console.review_views import show_review, take_action
from packages.models import (
    Attestation,
    CannedText,
    CurationGrant,
    Package,
    PolicyReason,
    Review,
    ReviewDecision,
    ValidationRun,
    Version,
    VersionState,
)
from packages.reviewing.approvers import REVIEW_PERMISSION, SUSPEND_PERMISSION
from packages.reviewing.bulk import blast_radius
from packages.reviewing.cases import attempt_of
from packages.tier_requirements import CURATE_PERMISSION, grant_curation, revoke_curation


def blast_facts(versions: list[Version]) -> dict[str, int]:
    """Return the blast radius of a step that concerns these versions, by the words of the page."""
    blast = blast_radius(versions)
    return {
        "Listed versions": blast.versions,
        "Installs": blast.installs,
        "Calls in the last hour": blast.calls_last_hour,
    }


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    """Every case; its page is the review page, and each tier has a queue."""

    list_display = ("version", "tier", "kind", "due_at", "claimed_by", "closed_at", "outcome")
    list_filter = ("tier", "kind", "outcome")
    list_select_related = ("version__package", "claimed_by")
    search_fields = ("=id", "=version__id", "version__package__name", "version__package__slug")
    ordering = ("-pk",)

    def get_urls(self) -> list[URLPattern]:
        """Add the queues, the bulk actions and the actions of the review page."""
        wrap = self.admin_site.admin_view
        return [
            path("queue/<str:tier>/", wrap(partial(show_queue, self)), name="packages_review_queue"),
            path("queue/<str:tier>/<str:name>/", wrap(partial(bulk_action, self)), name="packages_review_bulk"),
            path("<str:pk>/act/<str:name>/", wrap(partial(take_action, self)), name="packages_review_act"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the review page."""
        return show_review(self, request, unquote(object_id))


@admin.register(Version)
class VersionAdmin(StepAdmin):
    """Versions; a listed one can be suspended without a review."""

    steps = (
        Step(
            "suspend",
            "Suspend this version",
            SUSPEND_PERMISSION,
            "Its installs and calls stop everywhere within seconds; data is kept. The provider reads why.",
            lambda version, user, values: suspension.suspend_version(version, attempt_of(user, values["reason"])),
            lambda version: version.state == VersionState.LISTED,
            tone="bad",
        ),
        Step(
            "resume",
            "Resume this version",
            REVIEW_PERMISSION,
            "It is listed again, and its installs go on. The provider reads why.",
            lambda version, user, values: suspension.resume_version(version, attempt_of(user, values["reason"])),
            lambda version: version.state == VersionState.SUSPENDED,
        ),
    )
    list_display = ("package", "version", "risk_tier", "state", "first_submitted_at", "updated_at")
    list_filter = ("state", "risk_tier")
    list_select_related = ("package",)
    search_fields = ("=id", "package__name", "package__slug", "package__account__company_name")
    ordering = ("-pk",)
    exclude = ("capabilities",)
    readonly_fields = ("state", "descriptors")

    def facts(self, row: Version) -> dict[str, int]:
        """Return whom a step on the version reaches."""
        return blast_facts([row])

    @admin.display(description="Capabilities")
    def descriptors(self, row: Version) -> str:
        """Show the frozen descriptors."""
        return format_html("<pre>{}</pre>", pretty_json(row.capabilities))


@admin.register(Package)
class PackageAdmin(StepAdmin):
    """Packages; suspending one stops all that it has."""

    steps = (
        Step(
            "suspend",
            "Suspend this package",
            SUSPEND_PERMISSION,
            "Everything of the package stops, whatever its versions' states; data is kept. The provider reads why.",
            lambda package, user, values: suspension.suspend_package(package, attempt_of(user, values["reason"])),
            lambda package: package.suspended_at is None,
            tone="bad",
        ),
        Step(
            "resume",
            "Resume this package",
            REVIEW_PERMISSION,
            "What its versions' states allow goes on. The provider reads why.",
            lambda package, user, values: suspension.resume_package(package, attempt_of(user, values["reason"])),
            lambda package: package.suspended_at is not None,
        ),
        Step(
            "revoke_curation",
            "Take the curation grant back",
            CURATE_PERMISSION,
            "What is listed stays; no other version comes onto the strategic surface. The grant keeps why.",
            lambda package, user, values: revoke_curation(package, curator=user, note=values["reason"]),
            lambda package: package.curation_grants.filter(revoked_at=None).exists(),
            tone="bad",
        ),
        Step(
            "grant_curation",
            "Grant the strategic surface",
            CURATE_PERMISSION,
            "Versions of the strategic_surface tier pass its curation gate; they still need their approvals.",
            lambda package, user, values: grant_curation(package, curator=user, note=values["reason"]),
            lambda package: not package.curation_grants.filter(revoked_at=None).exists(),
        ),
    )
    list_display = ("name", "slug", "account", "install_count", "calls_last_hour", "listed_at", "suspended_at")
    list_select_related = ("account",)
    search_fields = ("=id", "name", "slug", "account__company_name")
    ordering = ("-pk",)

    def facts(self, row: Package) -> dict[str, int]:
        """Return whom a step on the package reaches."""
        return blast_facts(list(row.versions.filter(state=VersionState.LISTED)))


@admin.register(ValidationRun)
class ValidationRunAdmin(ReadOnlyAdmin):
    """Validation runs."""

    list_display = ("version", "state", "score", "created_at", "finished_at")
    list_filter = ("state",)
    list_select_related = ("version__package",)
    search_fields = ("=id", "=version__id", "version__package__slug")
    ordering = ("-pk",)


@admin.register(ReviewDecision)
class ReviewDecisionAdmin(ReadOnlyAdmin):
    """Decisions, with the hashes of what was seen."""

    list_display = ("version", "decision", "reviewer", "created_at")
    list_filter = ("decision",)
    list_select_related = ("review__version__package", "reviewer")
    search_fields = ("=review__id", "review__version__package__name", "review__version__package__slug")
    ordering = ("-pk",)

    def version(self, row: ReviewDecision) -> str:
        """Name the version that was decided on."""
        return str(row.review.version)


@admin.register(Attestation)
class AttestationAdmin(ReadOnlyAdmin):
    """What accounts signed."""

    list_display = ("version", "kind", "account", "signed_by", "signed_at")
    list_filter = ("kind",)
    list_select_related = ("version__package", "account")
    ordering = ("-pk",)


@admin.register(PolicyReason)
class PolicyReasonAdmin(StaffAdmin):
    """The policy table; a decision keeps the reason's words as they were."""

    list_display = ("title", "code", "is_active")
    list_filter = ("is_active",)
    search_fields = ("code", "title", "text")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the code of a reason in use: decisions and providers know it by that."""
        return ("code",) if obj else ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Take an address without a scheme for one of https."""
        if isinstance(db_field, URLField):
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(CannedText)
class CannedTextAdmin(StaffAdmin):
    """Texts that reviewers insert."""

    list_display = ("title",)
    search_fields = ("title", "text")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing refers to a canned text; who may change one may delete it."""
        return self.has_change_permission(request, obj)


@admin.register(CurationGrant)
class CurationGrantAdmin(ReadOnlyAdmin):
    """Grants of the strategic surface; curators give and take them on the package's page."""

    list_display = ("package", "granted_by", "granted_at", "revoked_at")
    list_select_related = ("package", "granted_by")
    search_fields = ("package__name", "package__slug")
    ordering = ("-pk",)
