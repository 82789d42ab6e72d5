"""What the provider will read, before the reviewer confirms it."""

from typing import Any

from packages.models import Decision, Review
from packages.reviewing.notices import provider_text

DECISIONS = {
    "approve": Decision.APPROVE,
    "request_changes": Decision.REQUEST_CHANGES,
    "reject": Decision.REJECT,
}


def told_text(action: str, review: Review, given: dict[str, Any]) -> str:
    """Return the text of the mail that an action sends, empty for one that tells the provider nothing by mail.

    The text is not escaped: mails are plain text. A template has to escape it by force.
    """
    if action == "message":
        return f"A reviewer writes to {review.version.package.account.company_name}:\n\n{given['text']}"
    if action not in DECISIONS:
        return ""
    reasons = [reason.as_dict() for reason in given.get("reasons", [])]
    return str(provider_text(review, DECISIONS[action], reasons=reasons, comment=given["comment"]))
