"""The version state machine: one plain table and the one function that writes a version's state (spec 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction

from aiffinity.lib.audit import append_audit
from aiffinity.lib.errors import InvalidState, NotFound, PermissionDenied
from packages.guards import GUARDS, Attempt, Role
from packages.models import Package, Version, VersionState
from runtime.events import post_event

__all__ = ["TABLE", "Role", "Transition", "Verb", "allowed_verbs", "transition"]


class Verb(StrEnum):
    """What can be done to a version."""

    EDIT = "edit"
    PASS_VALIDATION = "pass_validation"  # noqa: S105 - A verb, not a password.
    SUBMIT = "submit"
    CLAIM = "claim"
    RELEASE = "release"
    WITHDRAW = "withdraw"
    AUTO_LIST = "auto_list"
    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"
    PUBLISH = "publish"
    LAPSE = "lapse"
    SUPERSEDE = "supersede"
    SUSPEND = "suspend"
    ROLLBACK = "rollback"
    RESUME = "resume"
    DELIST = "delist"


@dataclass(frozen=True)
class Transition:
    """One row of the table: who may take a version from one state to another, and what must hold."""

    source: VersionState
    target: VersionState
    verb: Verb
    roles: tuple[Role, ...]
    guards: tuple[str, ...] = ()
    event: str | None = None


_S = VersionState
_PROVIDER, _REVIEWER, _SYSTEM = (Role.PROVIDER,), (Role.REVIEWER,), (Role.SYSTEM,)
_DECISION = ("independent_reviewer", "claimed_by_reviewer")

# Read as: from, to, verb, by whom, guards, event. The drawing in the docs is made from these rows.
TABLE: tuple[Transition, ...] = (
    Transition(_S.DRAFT, _S.DRAFT, Verb.EDIT, _PROVIDER),
    Transition(_S.VALIDATED, _S.DRAFT, Verb.EDIT, _PROVIDER),
    Transition(_S.CHANGES_REQUESTED, _S.DRAFT, Verb.EDIT, _PROVIDER),
    Transition(_S.DRAFT, _S.VALIDATED, Verb.PASS_VALIDATION, _SYSTEM, ("passing_run",)),
    Transition(_S.CHANGES_REQUESTED, _S.VALIDATED, Verb.PASS_VALIDATION, _SYSTEM, ("passing_run",)),
    Transition(_S.VALIDATED, _S.SUBMITTED, Verb.SUBMIT, _PROVIDER, ("gates",), "package.submitted"),
    Transition(_S.CHANGES_REQUESTED, _S.SUBMITTED, Verb.SUBMIT, _PROVIDER, ("gates",), "package.submitted"),
    Transition(_S.SUBMITTED, _S.IN_REVIEW, Verb.CLAIM, _REVIEWER, ("independent_reviewer",)),
    Transition(_S.IN_REVIEW, _S.SUBMITTED, Verb.RELEASE, (Role.REVIEWER, Role.SYSTEM), ("independent_reviewer",)),
    Transition(_S.SUBMITTED, _S.DRAFT, Verb.WITHDRAW, _PROVIDER),
    Transition(_S.IN_REVIEW, _S.DRAFT, Verb.WITHDRAW, _PROVIDER),
    Transition(_S.SUBMITTED, _S.LISTED, Verb.AUTO_LIST, _SYSTEM, ("needs_no_reviewer", "gates"), "package.published"),
    Transition(
        _S.IN_REVIEW,
        _S.APPROVED,
        Verb.APPROVE,
        _REVIEWER,
        (*_DECISION, "approvals_complete", "seen_content"),
        "package.approved",
    ),
    Transition(
        _S.IN_REVIEW, _S.CHANGES_REQUESTED, Verb.REQUEST_CHANGES, _REVIEWER, _DECISION, "package.changes_requested"
    ),
    Transition(_S.IN_REVIEW, _S.REJECTED, Verb.REJECT, _REVIEWER, _DECISION, "package.rejected"),
    Transition(
        _S.APPROVED,
        _S.LISTED,
        Verb.PUBLISH,
        (Role.PROVIDER, Role.SYSTEM),
        ("gates", "approval_covers_content"),
        "package.published",
    ),
    Transition(_S.APPROVED, _S.DRAFT, Verb.LAPSE, (Role.PROVIDER, Role.SYSTEM)),
    Transition(_S.LISTED, _S.SUPERSEDED, Verb.SUPERSEDE, _SYSTEM),
    Transition(
        _S.LISTED,
        _S.SUSPENDED,
        Verb.SUSPEND,
        (Role.PROVIDER, Role.REVIEWER, Role.SYSTEM),
        ("may_suspend",),
        "package.suspended",
    ),
    Transition(
        _S.SUPERSEDED,
        _S.LISTED,
        Verb.ROLLBACK,
        _PROVIDER,
        ("account_and_app", "approval_covers_content"),
        "package.published",
    ),
    Transition(
        _S.SUSPENDED,
        _S.LISTED,
        Verb.RESUME,
        (Role.PROVIDER, Role.REVIEWER),
        ("independent_reviewer", "own_suspension", "no_other_listed"),
        "package.resumed",
    ),
    Transition(_S.LISTED, _S.SUPERSEDED, Verb.DELIST, (Role.PROVIDER, Role.SYSTEM), event="package.deprecated"),
    Transition(
        _S.SUSPENDED,
        _S.SUPERSEDED,
        Verb.DELIST,
        (Role.PROVIDER, Role.SYSTEM),
        ("own_suspension",),
        "package.deprecated",
    ),
)

_BY_STATE_AND_VERB = {(row.source, row.verb): row for row in TABLE}


def allowed_verbs(state: str, role: Role) -> list[str]:
    """Return the verbs that a role has in a state, in the order of the table; guards may still refuse one."""
    return [row.verb.value for row in TABLE if row.source == state and role in row.roles]


def transition(
    version: Version,
    verb: Verb,
    attempt: Attempt,
    *,
    changes: Mapping[str, Any] | None = None,
    event_data: Mapping[str, Any] | None = None,
) -> Version:
    """Take a version to its next state with audit row and event, all in one transaction.

    `changes` are further columns of the version, written by the same guarded UPDATE. Returns the version as it
    stands then. Raises INVALID_STATE (409) naming the state and the verbs it allows, PERMISSION_DENIED (403) for
    another role's verb, NOT_FOUND (404) for another provider's version, and whatever the row's guards raise.
    Source: spec 3 "The version state machine".
    """
    with transaction.atomic():
        # One package's transitions run one after the other: gates look at its other versions.
        if not Package.objects.select_for_update(no_key=True).filter(pk=version.package_id).exists():
            raise NotFound
        current = _read(version.pk)
        if attempt.role is Role.PROVIDER and attempt.user and attempt.user.pk != current.package.account.owner_id:
            raise NotFound
        row = _row_for(current, verb, attempt.role)
        for name in row.guards:
            GUARDS[name](current, attempt)
        moved = Version.objects.filter(pk=current.pk, state=row.source, content_hash=current.content_hash)
        if moved.update(state=row.target, **(changes or {})) == 0:
            raise refusal(current, verb, attempt.role)
        after = _read(current.pk)
        _record(after, row, attempt, event_data or {})
        return after


def refusal(version: Version, verb: str, role: Role) -> InvalidState:
    """Make the error that names the state and what it allows."""
    allowed = ", ".join(allowed_verbs(version.state, role)) or "nothing"
    return InvalidState(f"A version in state '{version.state}' can't {verb}. It allows: {allowed}.")


def _read(pk: str) -> Version:
    return Version.objects.select_related("package__app", "package__account").get(pk=pk)


def _row_for(version: Version, verb: Verb, role: Role) -> Transition:
    row = _BY_STATE_AND_VERB.get((VersionState(version.state), verb))
    if row is None:
        raise refusal(version, verb, role)
    if role not in row.roles:
        raise PermissionDenied(f"Only {' or '.join(row.roles)} may {verb} a version.")
    return row


def _record(version: Version, row: Transition, attempt: Attempt, event_data: Mapping[str, Any]) -> None:
    append_audit(
        subject=version.pk,
        action=f"version.{row.verb}",
        actor=attempt.actor,
        from_state=row.source,
        to_state=row.target,
        reason=attempt.reason,
        content_hash=version.content_hash,
        data={"role": attempt.role.value, **event_data},
    )
    if row.event is not None:
        post_event(version.package.app, row.event, {**describe(version), **event_data})


def describe(version: Version) -> dict[str, Any]:
    """Return what the data of every package event says (spec 3)."""
    return {
        "package_id": version.package_id,
        "version_id": version.pk,
        "version": version.version,
        "name": version.package.name,
        "risk_tier": version.risk_tier,
    }
