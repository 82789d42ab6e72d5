"""What keeps somebody from deciding on a case, said before they try; the verbs refuse it all the same."""

from collections.abc import Collection
from dataclasses import dataclass

from aiffinity.lib.errors import PlatformError
from packages.models import Review
from packages.reviewing.approvers import Approval, require_independent, require_useful_approval
from providers.models import User

# The actions that only who has no part in a version may take.
FOR_OTHERS = frozenset({"claim", "approve", "request_changes", "reject", "message", "escalate"})


@dataclass(frozen=True)
class Obstacle:
    """Why, in the words of the verb that would refuse, and the names of the actions that it makes useless."""

    words: str = ""
    actions: frozenset[str] = frozenset()


def obstacle(review: Review, user: User, approvals: Collection[Approval]) -> Obstacle:
    """Return what stands in a user's way on a case with these approvals; an empty one says that nothing does."""
    try:
        require_independent(review.version, user)
    except PlatformError as error:
        return Obstacle(error.message, FOR_OTHERS)
    try:
        require_useful_approval(review, user, approvals)
    except PlatformError as error:
        return Obstacle(f"{error.message} You can still ask for changes or reject.", frozenset({"approve"}))
    return Obstacle()
