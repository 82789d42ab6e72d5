"""What must hold before a version changes its state; the table in `packages.states` names these by name."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.utils import timezone

from aiffinity.lib.errors import GateNotPassed, InvalidState, PermissionDenied
from packages import policy
from packages.models import Review, Version, VersionState
from packages.reviewing.approvers import (
    REVIEW_PERMISSION,
    SUSPEND_PERMISSION,
    approvals_missing,
    require_independent,
)
from packages.runs import has_passed
from providers.models import User

__all__ = ["GUARDS", "REVIEW_PERMISSION", "SYSTEM", "Attempt", "Role"]


class Role(StrEnum):
    """In whose name something is done to a version."""

    PROVIDER = "provider"
    REVIEWER = "reviewer"
    SYSTEM = "system"


@dataclass(frozen=True)
class Attempt:
    """Who tries to change a version's state, and why.

    `actor` is the text for the audit log, such as `user:uid_…` or `system`. A reviewer's attempt carries the
    `user` and, for an approval, the hashes of what was shown to them.
    """

    actor: str
    role: Role
    user: User | None = None
    reason: str = ""
    seen_content_hash: str = ""
    seen_config_hash: str = ""


SYSTEM = Attempt(actor="system", role=Role.SYSTEM)


def gates(version: Version, attempt: Attempt) -> None:
    """Every policy gate passes. Raises GATE_NOT_PASSED (422) with all that fail."""
    policy.require_gates(version)


def account_and_app(version: Version, attempt: Attempt) -> None:
    """The gates of account and app pass: what else there is was judged when the version was listed first."""
    policy.require_gates(version, only=policy.ACCOUNT_AND_APP_GATES)


def needs_no_reviewer(version: Version, attempt: Attempt) -> None:
    """The system may list the version by itself."""
    reasons = policy.reviewer_reasons(version)
    if reasons:
        raise InvalidState(f"A reviewer decides on this version: {' '.join(reasons)}")


def passing_run(version: Version, attempt: Attempt) -> None:
    """The newest validation run passed and was of exactly this content."""
    if not has_passed(version):
        raise InvalidState("The newest validation run did not pass for this content.")


def independent_reviewer(version: Version, attempt: Attempt) -> None:
    """Staff is in a group of reviewers and has no part in what they, their mail address or their account submitted."""
    if attempt.role is Role.REVIEWER:
        require_independent(version, attempt.user)


def claimed_by_reviewer(version: Version, attempt: Attempt) -> None:
    """Only who holds the claim decides."""
    review = Review.objects.filter(version=version, closed_at=None).first()
    if review is None or attempt.user is None or review.claimed_by_id != attempt.user.pk:
        raise InvalidState("Another reviewer holds the claim on this version.")
    if review.claim_expires_at is None or review.claim_expires_at <= timezone.now():
        raise InvalidState("Your claim on this version has expired; claim it again.")


def approvals_complete(version: Version, attempt: Attempt) -> None:
    """With this approval the tier has all that it needs, each by another reviewer (spec 3, the table of tiers)."""
    review = Review.objects.select_related("version").filter(version=version, closed_at=None).first()
    missing = approvals_missing(review, with_approval_by=attempt.user) if review else ["a review"]
    if missing:
        raise GateNotPassed(f"This version still needs the approval of {' and '.join(missing)}.")


def seen_content(version: Version, attempt: Attempt) -> None:
    """An approval covers what the reviewer saw, and that is what the version and its app hold now."""
    is_same = attempt.seen_content_hash == version.content_hash and attempt.seen_config_hash == policy.config_hash_of(
        version
    )
    if not is_same:
        raise InvalidState("The version or its app's configuration changed since you looked; look again.")


def approval_covers_content(version: Version, attempt: Attempt) -> None:
    """What was approved is what the version and its app hold now."""
    is_same = (
        version.approved_content_hash == version.content_hash
        and version.approved_config_hash == policy.config_hash_of(version)
    )
    if not is_same:
        raise InvalidState(
            "The app's configuration changed since this version was approved; make a new version and submit it."
        )


def may_suspend(version: Version, attempt: Attempt) -> None:
    """Staff needs a group that suspends, or one whose rejection of something listed does."""
    user = attempt.user
    if attempt.role is Role.REVIEWER and not (
        user is not None
        and user.is_active
        and user.is_staff
        and (user.has_perm(SUSPEND_PERMISSION) or user.has_perm(REVIEW_PERMISSION))
    ):
        raise PermissionDenied("Your groups don't allow suspending.")


def own_suspension(version: Version, attempt: Attempt) -> None:
    """What a reviewer or the system suspended, the provider can't let go."""
    if attempt.role is Role.PROVIDER and version.suspended_by != Role.PROVIDER:
        raise InvalidState(
            f"A version in state 'suspended' by the {version.suspended_by} is resumed by a reviewer only."
        )


def no_other_listed(version: Version, attempt: Attempt) -> None:
    """The package has no other listed version."""
    other = Version.objects.filter(package=version.package_id, state=VersionState.LISTED).first()
    if other is not None:
        raise InvalidState(f"Version {other.version} is listed; suspend it before resuming this one.")


GUARDS: dict[str, Callable[[Version, Attempt], None]] = {
    guard.__name__: guard
    for guard in (
        gates,
        account_and_app,
        needs_no_reviewer,
        passing_run,
        independent_reviewer,
        claimed_by_reviewer,
        approvals_complete,
        seen_content,
        approval_covers_content,
        may_suspend,
        own_suspension,
        no_other_listed,
    )
}
