"""Making, changing and taking away packages (spec 2 "Packages")."""

import re
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from aiffinity.lib.audit import append_audit
from aiffinity.lib.errors import SlugTaken, field_error
from aiffinity.lib.views import get_owned
from packages.guards import Attempt
from packages.listing_changes import REVIEWED_FIELDS, pend, restart_submissions, review_pending, split_fields
from packages.models import (
    Attestation,
    CurationGrant,
    Package,
    PackageStatus,
    Review,
    ReviewDecision,
    ReviewMessage,
    ValidationRun,
    Version,
    VersionState,
)
from packages.reviewing.cases import close_review
from packages.states import Role, Verb, allowed_verbs, transition
from packages.versions import add_version
from providers.models import Account, App
from runtime.events import post_event

SLUG: Final = re.compile(r"\A[a-z][a-z0-9-]{2,63}\Z")
# Words that stand in paths beside a slug, now or by plan.
RESERVED_SLUGS: Final = frozenset(
    {
        "manage", "catalog", "install", "installs", "installability", "marketplace", "categories", "connections",
        "confirmations", "rating", "versions", "validate", "validations", "submit", "withdraw", "publish", "suspend",
        "resume", "rollback", "diff", "reviews", "attestations", "search", "new", "edit", "admin", "api", "docs",
    }
)  # fmt: skip

LISTING_FIELDS: Final = (
    "name", "description", "category", "keywords", "images", "support_url", "privacy_policy_url", "availability_mode",
)  # fmt: skip
_UNIQUE_SLUG = "packages_package_slug"


def create_package(account: Account, attempt: Attempt, fields: dict[str, Any]) -> Package:
    """Make a package with its first version 1.0.0 as draft.

    `fields` are app_id, slug, the listing fields and those of `add_version`. Raises NOT_FOUND (404) for another
    account's app, VALIDATION_ERROR (400), SLUG_TAKEN (409), and what `add_version` raises; nothing is made then.
    """
    app = get_owned(App.objects.for_account(account), fields["app_id"])
    check_slug(fields["slug"])
    listing = {name: fields[name] for name in LISTING_FIELDS if name in fields}
    try:
        with transaction.atomic():
            package = Package.objects.create(account=account, app=app, slug=fields["slug"], **listing)
            append_audit(subject=package.pk, action="package.created", actor=attempt.actor)
            add_version(package, attempt, fields)
    except IntegrityError as error:
        if _UNIQUE_SLUG in str(error):
            raise SlugTaken from None
        raise
    return package


def check_slug(slug: str) -> None:
    """Raise VALIDATION_ERROR (400) for a slug that is malformed or a word of the platform's own paths."""
    if not SLUG.match(slug):
        message = "Use 3 to 64 lower-case letters, digits and hyphens, beginning with a letter."
        raise field_error("slug", message, code="format")
    if slug in RESERVED_SLUGS:
        raise field_error("slug", "This word is reserved; choose another slug.", code="reserved")


def update_package(package: Package, attempt: Attempt, fields: dict[str, Any]) -> Package:
    """Change the given listing fields; versions stay as they are.

    A changed name or image of something listed above data_only waits in `pending_listing` for a reviewer.
    """
    with transaction.atomic():
        locked = Package.objects.get_locked(package.pk)
        at_once, waiting = split_fields(locked, fields)
        is_shown_differently = any(
            name in at_once and at_once[name] != getattr(locked, name) for name in REVIEWED_FIELDS
        )
        for name in LISTING_FIELDS:
            if name in at_once:
                setattr(locked, name, at_once[name])
        is_pending_changed = pend(locked, waiting)
        locked.save()
        append_audit(subject=package.pk, action="package.updated", actor=attempt.actor, data={"fields": sorted(fields)})
        if is_pending_changed:
            review_pending(locked, attempt)
        if is_shown_differently:
            restart_submissions(locked, attempt)
    return locked


def delete_package(package: Package, attempt: Attempt, *, successor: str | None = None) -> bool:
    """Delete a package that was never listed, else deprecate it; says whether it is gone.

    A deprecated package stays for those who have it and can't be installed any more. What a reviewer suspended
    stays suspended. `successor` is the id or slug of another published package of the account, which the listing
    shows; an earlier deprecation gets it as well. Raises VALIDATION_ERROR (400) for any other package.
    """
    heir = _successor(package, successor) if successor else None
    with transaction.atomic():
        locked = Package.objects.get_locked(package.pk)
        if locked.listed_at is None:
            append_audit(subject=package.pk, action="package.deleted", actor=attempt.actor)
            _erase(locked)
            return True
        if heir is not None:
            Package.objects.filter(pk=package.pk).update(successor=heir)
            append_audit(
                subject=package.pk, action="package.successor_set", actor=attempt.actor, data={"successor": heir.pk}
            )
        if locked.deprecated_at is None:
            append_audit(subject=package.pk, action="package.deprecated", actor=attempt.actor)
            _deprecate(locked, attempt)
        return False


def _successor(package: Package, given: str) -> Package:
    others = Package.objects.for_account(package.account).with_status().exclude(pk=package.pk)
    found = others.filter(Q(pk=given) | Q(slug=given)).first()
    if found is None or getattr(found, "status", "") != PackageStatus.PUBLISHED:
        message = "Name another published package of your account, by id or slug."
        raise field_error("successor", message, code="unknown_package")
    return found


def _erase(package: Package) -> None:
    for pk, content_hash in package.versions.values_list("pk", "content_hash"):
        append_audit(subject=pk, action="version.deleted", actor="system", content_hash=content_hash)
    ReviewDecision.objects.filter(review__version__package=package).delete()
    ReviewMessage.objects.filter(review__version__package=package).delete()
    Attestation.objects.filter(version__package=package).delete()
    CurationGrant.objects.filter(package=package).delete()
    Review.objects.filter(version__package=package).delete()
    ValidationRun.objects.filter(version__package=package).delete()
    Version.objects.filter(package=package).delete()
    package.delete()


def _deprecate(package: Package, attempt: Attempt) -> None:
    was_told = False
    for version in package.versions.all():
        is_own = version.state != VersionState.SUSPENDED or version.suspended_by == Role.PROVIDER
        for verb in (Verb.DELIST, Verb.WITHDRAW, Verb.LAPSE):
            if is_own and verb in allowed_verbs(version.state, Role.PROVIDER):
                close_review(transition(version, verb, attempt))
                was_told = was_told or verb is Verb.DELIST
                break
    Package.objects.filter(pk=package.pk).update(deprecated_at=timezone.now())
    if not was_told:
        post_event(package.app, "package.deprecated", {"package_id": package.pk, "name": package.name})
