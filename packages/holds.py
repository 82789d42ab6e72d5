"""Why a version isn't in the catalog, or not running, what its provider can do, and until when (spec 3, purpose)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiffinity.lib.models import AuditEntry
from packages.models import Decision, Review, ReviewDecision, Version, VersionState
from packages.policy import ACCOUNT_AND_APP_GATES, GateResult
from packages.suspension import APPROVAL_GOOD_FOR


@dataclass(frozen=True)
class Hold:
    """`until` is when a decision is due, or when an approval lapses; reasons are frozen ones of the policy."""

    why: str
    what_to_do: str
    until: datetime | None = None
    reasons: list[dict[str, str]] = field(default_factory=list)
    comment: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Render the hold for the API."""
        return {
            "why": self.why,
            "what_to_do": self.what_to_do,
            "until": self.until,
            "reasons": self.reasons,
            "comment": self.comment,
        }


@dataclass(frozen=True)
class _Case:
    version: Version
    review: Review | None
    failed: list[GateResult]


def hold_of(version: Version, gates: Sequence[GateResult], review: Review | None) -> Hold | None:
    """Say what holds a version up, with its gates and its open case; None for what is listed and runs."""
    if version.package.suspended_at is not None:
        return _package_suspended(version)
    holder = _HOLDERS.get(VersionState(version.state))
    return holder(_Case(version, review, [gate for gate in gates if not gate.passed])) if holder else None


def _draft(case: _Case) -> Hold:
    return Hold("It is a draft: nobody reviews or lists it yet.", "Validate it (POST …/validate), then submit it.")


def _validated(case: _Case) -> Hold:
    if case.failed:
        return Hold("It can't be submitted: policy gates don't pass.", _in_words(case.failed))
    return Hold("It isn't submitted yet.", "Submit it (POST …/submit).")


def _waiting(case: _Case) -> Hold:
    if case.review is None:
        return Hold("Every check passed; the system lists it within minutes.", "Nothing.")
    why = f"It waits for a reviewer. {case.review.cause}".strip()
    return Hold(why, "Nothing; you can withdraw it (POST …/withdraw) to change it.", case.review.due_at)


def _changes_requested(case: _Case) -> Hold:
    what = "Edit it (PATCH), validate and submit it again; or answer the review (POST …/reviews/{id}/reply)."
    return _decided(case, "A reviewer asks for changes.", what)


def _rejected(case: _Case) -> Hold:
    return _decided(case, "A reviewer rejected it.", "Make a new version that answers the reasons.")


def _approved(case: _Case) -> Hold:
    version = case.version
    until = version.approved_at + APPROVAL_GOOD_FOR if version.approved_at else None
    if case.failed:
        return Hold("It is approved, but policy gates don't pass.", _in_words(case.failed), until)
    if version.is_published_on_approval:
        return Hold("It is approved; the system lists it within minutes.", "Nothing.", until)
    return Hold("It is approved and not published.", "Publish it (POST …/publish) before the approval lapses.", until)


def _listed(case: _Case) -> Hold | None:
    blocked = [gate for gate in case.failed if gate.name in ACCOUNT_AND_APP_GATES]
    if blocked:
        return Hold("It is listed, but its account or app isn't in order.", _in_words(blocked))
    if case.review is None:
        return None
    why = f"It stays listed while a reviewer looks at it again. {case.review.cause}".strip()
    if case.review.is_awaiting_provider:
        return _decided(case, f"{why} The reviewer asks for changes.", "Answer the review (POST …/reviews/{id}/reply).")
    return Hold(why, "Nothing; you can explain the change (POST …/reviews/{id}/reply).", case.review.due_at)


def _superseded(case: _Case) -> Hold:
    what = "Nothing; to list it again instead, POST …/rollback."
    return Hold("It is out of the catalog: another version was listed, or the package was taken away.", what)


def _suspended(case: _Case) -> Hold:
    version = case.version
    if version.suspended_by == "provider":
        return Hold("You suspended it.", "Resume it (POST …/resume).", comment=_said(version.pk, "version.suspend"))
    decision = _last_decision(version)
    reasons = decision.reasons if decision and decision.decision == Decision.REJECT else []
    return Hold(
        "The platform suspended it: it can't be installed, and calls are refused.",
        "Answer the reasons; a reviewer alone resumes it. You can also make a new version and submit it.",
        reasons=reasons,
        comment=_said(version.pk, "version.suspend"),
    )


def _package_suspended(version: Version) -> Hold:
    return Hold(
        "The platform suspended the package: nothing of it can be installed, and calls are refused.",
        "Answer the reasons and write to provider support; a reviewer alone resumes it.",
        comment=_said(version.package_id, "package.suspended"),
    )


_HOLDERS: dict[VersionState, Callable[[_Case], Hold | None]] = {
    VersionState.DRAFT: _draft,
    VersionState.VALIDATED: _validated,
    VersionState.SUBMITTED: _waiting,
    VersionState.IN_REVIEW: _waiting,
    VersionState.CHANGES_REQUESTED: _changes_requested,
    VersionState.REJECTED: _rejected,
    VersionState.APPROVED: _approved,
    VersionState.LISTED: _listed,
    VersionState.SUPERSEDED: _superseded,
    VersionState.SUSPENDED: _suspended,
}


def _decided(case: _Case, why: str, what_to_do: str) -> Hold:
    """Quote the decision that the provider was told last."""
    decision = _last_decision(case.version)
    if decision is None:
        return Hold(why, what_to_do)
    return Hold(why, what_to_do, reasons=decision.reasons, comment=decision.comment)


def _last_decision(version: Version) -> ReviewDecision | None:
    found = ReviewDecision.objects.filter(review__version=version).exclude(decision=Decision.APPROVE)
    return found.order_by("-created_at", "-pk").first()


def _said(subject: str, action: str) -> str:
    """Return the reason that the newest audit entry of a kind has."""
    entry = AuditEntry.objects.filter(subject=subject, action=action).order_by("-sequence").first()
    return entry.reason if entry else ""


def _in_words(gates: Sequence[GateResult]) -> str:
    return " ".join(gate.message for gate in gates)
