"""The sweep that puts before reviewers what nobody has seen: a listed version whose app changed (spec 3)."""

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from aiffinity.lib.errors import InvalidState
from packages import policy
from packages.configuration import widened_parts
from packages.guards import SYSTEM
from packages.models import Package, Review, ReviewKind, Version, VersionState
from packages.reviewing import notices
from packages.reviewing.cases import close_review, complete, lock_case, open_review, record
from packages.reviewing.thread import write_as_system
from runtime.auth_profiles import config_parts
from runtime.models import RuntimeApp

SWEEP_BATCH = 200
_CONFIG_HASH = "package__app__runtime_app__config_hash"


def open_re_reviews() -> int:
    """Open a case for every listed version whose app changed since its approval, and end those that are settled.

    What was submitted as plain data_only and goes further meanwhile gets a reviewer as well. Returns how many
    cases were opened.
    """
    for review in _settled()[:SWEEP_BATCH]:
        _end_if_settled(review)
    changed = [version for version in _changed()[:SWEEP_BATCH] if _reopen(version)]
    # By lot: those that need no reviewer, and are not listed yet, must not keep the others from their turn.
    stranded = [version for version in _without_reviewer().order_by("?")[:SWEEP_BATCH] if _queue(version)]
    return len(changed) + len(stranded)


def _changed() -> QuerySet[Version]:
    is_open = Review.objects.open().filter(version=OuterRef("pk"), kind=ReviewKind.RE_REVIEW)
    stale = Version.objects.filter(~Q(approved_config_hash=F(_CONFIG_HASH)), state=VersionState.LISTED)
    return stale.filter(~Exists(is_open), package__app__deleted_at=None).select_related(
        "package__app", "package__account"
    )


def _settled() -> QuerySet[Review]:
    reviews = Review.objects.open().filter(kind=ReviewKind.RE_REVIEW)
    is_back = Q(version__approved_config_hash=F(f"version__{_CONFIG_HASH}"))
    return reviews.filter(is_back | ~Q(version__state=VersionState.LISTED))


def _without_reviewer() -> QuerySet[Version]:
    has_case = Review.objects.open().filter(version=OuterRef("pk"))
    waiting = Version.objects.filter(~Exists(has_case), state=VersionState.SUBMITTED)
    return waiting.select_related("package__app", "package__account")


def _reopen(version: Version) -> bool:
    with transaction.atomic():
        Package.objects.select_for_update(no_key=True).get(pk=version.package_id)
        current = _changed().filter(pk=version.pk).first()
        if current is None:
            return False
        cause = _cause(current)
        waiting = Review.objects.open().filter(version=current).first()
        if waiting is not None:
            close_review(current)
        opened = open_review(current, kind=ReviewKind.RE_REVIEW, cause=cause)
        case = complete(Review.objects.filter(pk=opened.pk)).get()
        record(case, "reopened", SYSTEM, cause=cause)
        write_as_system(case, cause)
        notices.send_reopened(case)
        return True


def _cause(version: Version) -> str:
    runtime_app = RuntimeApp.objects.get(pk=version.package.app_id)
    if version.approved_config is None:
        return "The app's configuration changed after the approval."
    wider = widened_parts(version.approved_config, config_parts(runtime_app))
    if wider:
        return f"The app's configuration changed after the approval: {'; '.join(wider)}."
    return "The app's configuration is narrower than what was approved; calls go on."


def _end_if_settled(review: Review) -> None:
    with transaction.atomic():
        try:
            case = lock_case(review)
        except InvalidState:
            return  # It was decided in this moment.
        if not _settled().filter(pk=case.pk).exists():
            return
        record(case, "settled", SYSTEM)
        write_as_system(case, "What was approved holds again; no decision is needed.")
        close_review(case.version)
        if case.version.package.pending_listing:
            open_review(case.version, kind=ReviewKind.LISTING_CHANGE, cause=case.cause)


def _queue(version: Version) -> bool:
    with transaction.atomic():
        Package.objects.select_for_update(no_key=True).get(pk=version.package_id)
        current = _without_reviewer().filter(pk=version.pk).first()
        if current is None:
            return False
        reasons = policy.reviewer_reasons(current)
        if reasons:
            record(open_review(current, cause=" ".join(reasons)), "opened", SYSTEM, reasons=reasons)
        return bool(reasons)
