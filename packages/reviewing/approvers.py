"""Who may decide on a version, and whose approval a case still lacks (spec 3, the table of tiers)."""

from collections.abc import Collection, Iterable
from itertools import permutations
from typing import NamedTuple

from aiffinity.lib.errors import InvalidState, PermissionDenied
from packages.models import Decision, Package, Review, ReviewDecision, Version
from packages.policy import config_hashes_of
from providers.models import User

REVIEW_PERMISSION = "packages.review_version"
SECURITY_PERMISSION = "packages.security_review_version"
ARCHITECTURE_PERMISSION = "packages.architecture_review_version"
SUSPEND_PERMISSION = "packages.suspend_package"

ANY, SECURITY, ARCHITECTURE = "any", "security", "architecture"

# The approvals that a tier needs, each by somebody else.
TIER_SLOTS = {
    "data_only": (ANY,),
    "action_capable": (ANY,),
    "high_trust": (SECURITY, ANY),
    "strategic_surface": (SECURITY, ARCHITECTURE),
}
_LABELS = {SECURITY: "a security reviewer", ARCHITECTURE: "an architecture reviewer"}


class Approval(NamedTuple):
    """One reviewer's approval of what a version and its app hold now."""

    user_id: str
    is_security: bool
    is_architecture: bool

    def can_fill(self, slot: str) -> bool:
        """Say whether the approval is of the kind that a slot wants."""
        return slot == ANY or (self.is_security if slot == SECURITY else self.is_architecture)


def require_reviewer(user: User | None) -> User:
    """Return the user. Raises PERMISSION_DENIED (403) for who is not staff in a group of reviewers."""
    if user is None or not user.is_active or not user.is_staff or not user.has_perm(REVIEW_PERMISSION):
        raise PermissionDenied("Only staff in a group of reviewers decides on versions.")
    return user


def require_independent(version: Version, user: User | None) -> User:
    """Return a reviewer who has no part in a version; superusers are no exception.

    Raises PERMISSION_DENIED (403) for what they, their mail address or their account submitted.
    """
    reviewer = require_reviewer(user)
    require_uninvolved(reviewer, version.package, version.submitted_by)
    return reviewer


def require_uninvolved(user: User, package: Package, submitter: User | None = None) -> None:
    """Raise PERMISSION_DENIED (403) for the submitter and the package's account, and for their mail addresses."""
    account = package.account
    own = [account.owner, *([submitter] if submitter is not None else [])]
    own_emails = {account.email.lower(), *((each.email or "").lower() for each in own)}
    if user.pk in {each.pk for each in own} or (user.email or "").lower() in own_emails - {""}:
        raise PermissionDenied("Nobody decides on what they or their own account submitted.")


def approval_by(user: User) -> Approval:
    """Return what an approval of a user would count as now."""
    return Approval(user.pk, user.has_perm(SECURITY_PERMISSION), user.has_perm(ARCHITECTURE_PERMISSION))


def approvals_of(review: Review) -> list[Approval]:
    """Return the approvals of a case for exactly what the version and its app hold now."""
    return approvals_of_all([review])[review.pk]


def approvals_of_all(reviews: Collection[Review]) -> dict[str, list[Approval]]:
    """Return what `approvals_of` returns for each of several cases by their ids, with two queries."""
    configs = config_hashes_of([review.version for review in reviews])
    current = {each.pk: (each.version.content_hash, configs[each.version_id]) for each in reviews}
    found: dict[str, list[Approval]] = {review.pk: [] for review in reviews}
    for given in ReviewDecision.objects.filter(review__in=current, decision=Decision.APPROVE):
        if (given.content_hash, given.config_hash) == current[given.review_id]:
            found[given.review_id].append(Approval(given.reviewer_id, given.is_security, given.is_architecture))
    return found


def approvals_missing(review: Review, *, with_approval_by: User | None = None) -> list[str]:
    """Say whose approval a case lacks, such as `["a security reviewer", "another reviewer"]`.

    `with_approval_by` counts a reviewer as if they had approved.
    """
    approvals = approvals_of(review)
    if with_approval_by is not None and with_approval_by.pk not in {each.user_id for each in approvals}:
        approvals.append(approval_by(with_approval_by))
    return missing_for_tier(review.version.risk_tier, approvals)


def missing_for_tier(tier: str, approvals: Collection[Approval]) -> list[str]:
    """Say whose approval a tier asks for besides those given, in the words of `approvals_missing`."""
    slots = TIER_SLOTS[tier]
    others = "a reviewer" if len(slots) == 1 else "another reviewer"
    return [_LABELS.get(slot, others) for slot in unfilled(slots, approvals)]


def require_useful_approval(review: Review, reviewer: User, given: Collection[Approval] | None = None) -> None:
    """Refuse an approval that brings the case no further; `given` are those that it has, read where it is None.

    Raises INVALID_STATE (409) for a second one of the same reviewer and PERMISSION_DENIED (403) where somebody
    of another group is needed.
    """
    tier, approvals = review.version.risk_tier, approvals_of(review) if given is None else given
    if reviewer.pk in {each.user_id for each in approvals}:
        raise InvalidState("You have approved this already; another reviewer has to approve it too.")
    missing = missing_for_tier(tier, approvals)
    if len(missing_for_tier(tier, [*approvals, approval_by(reviewer)])) >= len(missing):
        raise PermissionDenied(f"This version needs the approval of {' and '.join(missing)}.")


def unfilled(slots: Collection[str], approvals: Iterable[Approval]) -> list[str]:
    """Return the slots that are left over when the approvals, each by another reviewer, are dealt best."""
    candidates: list[Approval | None] = [*approvals, *[None] * len(slots)]
    deals = (
        [slot for slot, who in zip(slots, deal, strict=True) if who is None or not who.can_fill(slot)]
        for deal in permutations(candidates, len(slots))
    )
    return min(deals, key=len)
