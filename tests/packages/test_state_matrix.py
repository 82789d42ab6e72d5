"""Every state, verb, tier and role of the version machine, against the table of spec 3 as it reads there.

Nothing here is derived from `packages.states`. "suspended" is what its provider suspended; the platform's own
suspensions are states of their own, because they allow other things.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from django.db import connection, transaction

from aiffinity.lib.errors import PlatformError
from aiffinity.lib.models import AuditEntry
from packages.configuration import approval_columns
from packages.guards import SYSTEM, Attempt, Role
from packages.models import Review, ReviewDecision, RiskTier, Version, VersionState
from packages.states import Verb, transition
from providers.models import User
from runtime.models import Event
from tests.packages.conftest import Maker, as_reviewer
from tests.packages.reviewing.cases import attest, grant

REVIEWERS = ("reviewer", "security_reviewer", "architecture_reviewer")
SUSPENDERS = (*REVIEWERS, "ops")
OWNER, SYS = ("owner",), ("system",)
# Who submitted may stop their own version as staff, and nothing more.
STAFF = (*REVIEWERS, "curator", "ops", "superuser who submitted")
ROLES = ("owner", "stranger", *STAFF, "system")
PLATFORM_SUSPENDED = ("suspended by reviewer", "suspended by system")
STATES = (*VersionState.values, *PLATFORM_SUSPENDED)

# from, verb, to, by whom, event
ROWS: tuple[tuple[str, str, str, tuple[str, ...], str], ...] = (
    ("draft", "edit", "draft", OWNER, ""),
    ("draft", "pass_validation", "validated", SYS, ""),
    ("validated", "edit", "draft", OWNER, ""),
    ("validated", "submit", "submitted", OWNER, "package.submitted"),
    ("submitted", "claim", "in_review", REVIEWERS, ""),
    ("submitted", "withdraw", "draft", OWNER, ""),
    ("submitted", "auto_list", "listed", SYS, "package.published"),
    ("in_review", "release", "submitted", (*REVIEWERS, "system"), ""),
    ("in_review", "withdraw", "draft", OWNER, ""),
    ("in_review", "approve", "approved", REVIEWERS, "package.approved"),
    ("in_review", "request_changes", "changes_requested", REVIEWERS, "package.changes_requested"),
    ("in_review", "reject", "rejected", REVIEWERS, "package.rejected"),
    ("changes_requested", "edit", "draft", OWNER, ""),
    ("changes_requested", "pass_validation", "validated", SYS, ""),
    ("changes_requested", "submit", "submitted", OWNER, "package.submitted"),
    ("approved", "publish", "listed", ("owner", "system"), "package.published"),
    ("approved", "lapse", "draft", ("owner", "system"), ""),
    ("listed", "supersede", "superseded", SYS, ""),
    ("listed", "suspend", "suspended", ("owner", *SUSPENDERS, STAFF[-1], "system"), "package.suspended"),
    ("listed", "delist", "superseded", ("owner", "system"), "package.deprecated"),
    ("superseded", "rollback", "listed", OWNER, "package.published"),
    ("suspended", "resume", "listed", ("owner", *REVIEWERS), "package.resumed"),
    ("suspended", "delist", "superseded", ("owner", "system"), "package.deprecated"),
    *((state, "resume", "listed", REVIEWERS, "package.resumed") for state in PLATFORM_SUSPENDED),
    *((state, "delist", "superseded", SYS, "package.deprecated") for state in PLATFORM_SUSPENDED),
)
VERBS = tuple(dict.fromkeys(row[1] for row in ROWS))
# Whose approval each tier still lacks: the two upper ones have the other approval already.
LAST_APPROVERS = {
    "data_only": REVIEWERS,
    "action_capable": REVIEWERS,
    "high_trust": ("security_reviewer",),
    "strategic_surface": ("architecture_reviewer",),
}
FIRST_APPROVAL = {"high_trust": {}, "strategic_surface": {"is_security": True}}
_TABLE = {(row[0], row[1]): row for row in ROWS}
_KIND = {"owner": "provider", "stranger": "provider", "system": "system"}


@dataclass(frozen=True)
class Outcome:
    """What came of a cell: the state after and what was recorded, or the error and what it says is allowed."""

    code: str
    state: str = ""
    recorded: tuple[str, ...] = ()
    allowed: frozenset[str] = frozenset()


@dataclass
class Board:
    """One version in every state, of one tier, and everybody who tries something on them."""

    versions: dict[str, Version]
    attempts: dict[str, Attempt]
    audit_count: int

    def attempt(self, state: str, role: str) -> Attempt:
        """Return somebody as the one who tries something on the version of a state, having claimed and seen it."""
        attempt = self.attempts[role]
        if attempt.role is not Role.REVIEWER or attempt.user is None:
            return attempt
        Review.objects.filter(version=self.versions["in_review"]).update(
            claimed_by=attempt.user, claim_expires_at="2099-01-01T00:00:00Z"
        )
        return as_reviewer(attempt.user, self.versions[state])

    def outcome(self, attempt: Attempt, state: str, verb: str, before: tuple[object, ...]) -> Outcome:
        """Try a cell, undo it, and say what came of it; a refusal that left a trace fails the test."""
        version = self.versions[state]
        changes = approval_columns(version) if verb == "auto_list" else {}
        with undone():
            try:
                after = transition(version, Verb(verb), attempt, changes=changes)
            except PlatformError as error:
                assert self.rows() == before
                return refused(error, state)
            # What the database would say at commit, it says now.
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
            return Outcome("", after.state, tuple(self.recorded()))

    def recorded(self) -> Iterator[str]:
        """Yield the audit rows and events since the board was laid."""
        rows = AuditEntry.objects.order_by("created_at", "pk").values_list("action", "from_state", "to_state")
        yield from (f"{action}: {before} to {after}" for action, before, after in rows[self.audit_count :])
        yield from Event.objects.order_by("created_at", "pk").values_list("type", flat=True)

    def rows(self) -> tuple[object, ...]:
        """Return what may not change: every version and case, and how much was recorded."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT (SELECT md5(string_agg(v::text, '|' ORDER BY v.id)) FROM packages_version v),"
                " (SELECT md5(string_agg(r::text, '|' ORDER BY r.id)) FROM packages_review r),"
                " (SELECT count(*) FROM lib_auditentry), (SELECT count(*) FROM runtime_event),"
                " (SELECT count(*) FROM lib_outgoingmail)"
            )
            return tuple(cursor.fetchone())


@contextmanager
def undone() -> Iterator[None]:
    """Run something and take it back, unless it raises."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def refused(error: PlatformError, state: str) -> Outcome:
    """Return what a refusal says."""
    said, is_named, allowed = error.message.partition(" It allows: ")
    if not is_named:
        return Outcome(error.code)
    assert f"'{plain(state)}'" in said
    return Outcome(error.code, allowed=frozenset(allowed.rstrip(".").split(", ")) - {"nothing"})


@pytest.fixture
def board(acme: Maker, maker: Callable[[], Maker], make_reviewer: Callable[..., User]) -> Callable[[str], Board]:
    """Return a function that sets the board of a tier."""

    def lay(tier: str) -> Board:
        acme.subscribe()
        staff = {group: make_reviewer(group) for group in STAFF[:-1]}
        versions = {state: _version(acme, tier, state, staff["curator"]) for state in STATES}
        if tier in FIRST_APPROVAL:
            _approve_first(versions["in_review"], make_reviewer(), acme.config_hash, **FIRST_APPROVAL[tier])
        User.objects.filter(pk=acme.account.owner_id).update(is_staff=True, is_superuser=True)
        staff[STAFF[-1]] = User.objects.get(pk=acme.account.owner_id)
        attempts = {role: as_reviewer(user) for role, user in staff.items()}
        attempts |= {"owner": acme.attempt, "stranger": maker().attempt, "system": SYSTEM}
        return Board(versions, attempts, AuditEntry.objects.count())

    return lay


def _version(acme: Maker, tier: str, state: str, curator: User) -> Version:
    version = acme.version(plain(state), risk_tier=tier)
    if state == "draft":
        # It lacks nothing but the step.
        acme.put_into(version, "validated")
        acme.put_into(version, "draft")
    if state in PLATFORM_SUSPENDED:
        Version.objects.filter(pk=version.pk).update(suspended_by=state.rpartition(" ")[2])
    attest(version)
    grant(version, curator)
    return Version.objects.select_related("package__app", "package__account").get(pk=version.pk)


def _approve_first(version: Version, reviewer: User, config_hash: str, **columns: bool) -> None:
    ReviewDecision.objects.create(
        review=Review.objects.get(version=version),
        reviewer=reviewer,
        decision="approve",
        content_hash=version.content_hash,
        config_hash=config_hash,
        **columns,
    )


def expected(state: str, verb: str, tier: str, role: str) -> Outcome:
    """Say what the spec wants of a cell."""
    row = _TABLE.get((state, verb))
    if role == "stranger":
        return Outcome("NOT_FOUND")
    if row is None:
        return Outcome("INVALID_STATE", allowed=frozenset(_verbs_named(state, _KIND.get(role, "reviewer"))))
    code = _refusal(row, tier, role)
    audit = f"version.{verb}: {plain(state)} to {row[2]}"
    return Outcome(code) if code else Outcome("", row[2], (audit, row[4]) if row[4] else (audit,))


def _refusal(row: tuple[str, str, str, tuple[str, ...], str], tier: str, role: str) -> str:
    state, verb, _, who, _ = row
    if verb == "auto_list" and role == "system" and tier != "data_only":
        return "INVALID_STATE"
    if state in PLATFORM_SUSPENDED and role == "owner":
        return "INVALID_STATE"
    if role not in who:
        return "PERMISSION_DENIED"
    return "GATE_NOT_PASSED" if verb == "approve" and role not in LAST_APPROVERS[tier] else ""


def plain(state: str) -> str:
    """Return the state as the column has it."""
    return state.partition(" ")[0]


def _verbs_named(state: str, kind: str) -> Iterator[str]:
    # What an answer names is what the role may do in the plain state; guards may refuse it still.
    for source, verb, _, who, _ in ROWS:
        if source == plain(state) and kind in {_KIND.get(role, "reviewer") for role in who}:
            yield verb


def test_the_walk_is_complete() -> None:
    assert {verb.value for verb in Verb} == set(VERBS)
    assert len(STATES) * len(VERBS) * len(RiskTier) * len(ROLES) == 7344


@pytest.mark.parametrize("tier", RiskTier.values)
def test_every_verb_in_every_state_by_everybody(board: Callable[[str], Board], tier: str) -> None:
    laid, faults = board(tier), []
    for role, state in itertools.product(ROLES, STATES):
        attempt = laid.attempt(state, role)
        before = laid.rows()
        for verb in VERBS:
            wanted, came = expected(state, verb, tier, role), laid.outcome(attempt, state, verb, before)
            if came != wanted:
                faults.append((role, state, verb, wanted, came))
    assert faults == []
