"""The mail that an action sends to the provider, shown before the reviewer confirms it."""

from typing import Any

from packages.models import Decision, Review
from packages.reviewing.notices import message_text, provider_text, suspended_text


def preview_text(action: str, review: Review, given: dict[str, Any]) -> str:
    """Return the text of the mail that an action sends, empty for one that tells the provider nothing by mail.

    The text is not escaped: mails are plain text. A template has to escape it by force.
    """
    if action == "message":
        return message_text(review, given["text"])
    if action == "suspend":
        return suspended_text(review.version, given["comment"])
    if action not in Decision.values:
        return ""
    reasons = [reason.as_dict() for reason in given.get("reasons", [])]
    return provider_text(review, action, reasons=reasons, comment=given["comment"])
