"""Mails to the provider about a case: what was decided, why, and what to do next (spec 3 "Reviewing")."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from aiffinity.lib.mails import queue_mail
from packages.models import Decision, Package, Review, ReviewKind, Version
from packages.policy import GateResult

PREFERENCE = "review_decisions"
_TEMPLATES = {
    (ReviewKind.SUBMISSION, Decision.APPROVE): "review_approved",
    (ReviewKind.SUBMISSION, Decision.REJECT): "review_rejected",
    (ReviewKind.RE_REVIEW, Decision.REJECT): "review_suspended",
    (ReviewKind.LISTING_CHANGE, Decision.REJECT): "review_listing_rejected",
}


def send_decision(
    review: Review,
    decision: str,
    *,
    reasons: Sequence[dict[str, str]] = (),
    comment: str = "",
    gates: Sequence[GateResult] = (),
) -> None:
    """Queue the mail of a decision; the account can't switch these off. Runs inside the decision's transaction."""
    _send(review, template_of(review, decision), {"reasons": reasons, "comment": comment, "gates": gates})


def provider_text(review: Review, decision: str, *, reasons: Sequence[dict[str, str]], comment: str) -> str:
    """Return the text that the provider will read of a decision, for a preview before it is taken."""
    context = {**_context(review), "reasons": reasons, "comment": comment, "gates": ()}
    return render_to_string(f"mails/{template_of(review, decision)}.txt", context).strip()


def message_text(review: Review, text: str) -> str:
    """Return the text of the mail that a reviewer's message would be, for a preview."""
    return render_to_string("mails/review_message.txt", {**_context(review), "message": text}).strip()


def suspended_text(version: Version, comment: str) -> str:
    """Return the text of the mail that a version's suspension would be, for a preview."""
    package = version.package
    said = {"company_name": package.account.company_name, "package": package, "version": version}
    return render_to_string("mails/review_suspended.txt", {**said, "reasons": (), "comment": comment}).strip()


def template_of(review: Review, decision: str) -> str:
    """Name the mail of a decision."""
    if decision == Decision.REQUEST_CHANGES:
        return "review_changes_requested"
    return _TEMPLATES.get((ReviewKind(review.kind), Decision(decision)), "review_renewed")


def send_message(review: Review, text: str) -> None:
    """Queue the mail of a reviewer's message, unless the account wants none."""
    if wants_optional_mails(review.version):
        _send(review, "review_message", {"message": text})


def send_reopened(review: Review) -> None:
    """Queue the mail that something listed is looked at again, and why."""
    _send(review, "review_reopened", {"cause": review.cause})


def send_suspended(package: Package, version: Version | None, comment: str) -> None:
    """Queue the mail that the platform stopped a version, or the whole package where `version` is None."""
    _queue(package, version, "review_suspended", {"reasons": (), "comment": comment})


def send_resumed(package: Package, version: Version | None, comment: str) -> None:
    """Queue the mail that the platform lifted a suspension."""
    _queue(package, version, "review_resumed", {"reasons": (), "comment": comment})


def send_lapsed(version: Version) -> None:
    """Queue the mail that an approval is not good any more."""
    _queue(version.package, version, "review_lapsed", {})


def wants_optional_mails(version: Version) -> bool:
    """Say whether the account wants mails about reviews besides the decisions."""
    preferences: dict[str, Any] = version.package.account.notification_preferences or {}
    return preferences.get(PREFERENCE) is not False


def _send(review: Review, template: str, context: dict[str, Any]) -> None:
    _queue(review.version.package, review.version, template, {**_context(review), **context})


def _queue(package: Package, version: Version | None, template: str, context: dict[str, Any]) -> None:
    said = {"company_name": package.account.company_name, "package": package, "version": version, **context}
    queue_mail(to=package.account.email, template=template, context=said)


def _context(review: Review) -> dict[str, Any]:
    version = review.version
    package = version.package
    path = f"{settings.BASE_URL}/v1/providers/packages/manage/{package.pk}/versions/{version.pk}"
    return {
        "company_name": package.account.company_name,
        "package": package,
        "version": version,
        "review": review,
        "version_url": path,
        "reply_url": f"{path}/reviews/{review.pk}/reply",
    }
