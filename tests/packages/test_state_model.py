"""The version machine against a small model: whatever is done in whatever order, both agree."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from hypothesis.strategies import integers, sampled_from

from aiffinity.lib.audit import find_breaks
from aiffinity.lib.errors import PlatformError
from aiffinity.lib.models import AuditEntry
from packages.guards import SYSTEM, Attempt
from packages.models import Package, Review, Version
from packages.reviewing.cases import attempt_of
from packages.reviewing.claims import claim_review, release_claim
from packages.reviewing.decisions import reject, request_changes
from packages.states import Verb, transition
from packages.submission import publish_version, rollback_version, submit_version, withdraw_version
from packages.suspension import resume_version, suspend_version
from packages.versions import add_version, edit_version
from providers.models import User
from tests.packages.conftest import Maker, pass_run
from tests.packages.reviewing.cases import approve_as, reasons

pytestmark = pytest.mark.django_db

NUMBERS = ("1.0.0", "2.0.0")
numbers, reviewers = sampled_from(NUMBERS), sampled_from(("rita", "paul"))


class Model:
    """What the product says of two versions of an action_capable package: their states, and who holds what."""

    def __init__(self) -> None:
        self.states = dict.fromkeys(NUMBERS, "draft")
        self.claimed_by: dict[str, str | None] = dict.fromkeys(NUMBERS)
        self.suspended_by: dict[str, str] = {}

    def other(self, number: str) -> str:
        """Return the number of the other version."""
        return NUMBERS[1 - NUMBERS.index(number)]

    def can_submit(self, number: str) -> bool:
        """Say whether a version may go to reviewers: one at a time."""
        is_ready = self.states[number] in ("validated", "changes_requested")
        return is_ready and self.states[self.other(number)] not in ("submitted", "in_review")

    def list_it(self, number: str) -> None:
        """List a version, superseding the other one."""
        if self.states[self.other(number)] == "listed":
            self.states[self.other(number)] = "superseded"
        self.states[number] = "listed"


class VersionMachine(RuleBasedStateMachine):
    """Does everything through the real verbs, and the same to the model where it allows it."""

    acme: Maker
    staff: dict[str, User]

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.package: Package = self.acme.package(risk_tier="action_capable")
        add_version(self.package, self.acme.attempt, {"capabilities": self.acme.capabilities, "version": "2.0.0"})

    def teardown(self) -> None:
        """Check what the database says at commit, and take everything back."""
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        assert list(find_breaks()) == []
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    def version(self, number: str) -> Version:
        """Return a version as it stands."""
        rows = Version.objects.select_related("package__app", "package__account")
        return rows.get(package=self.package, version=number)

    def case(self, number: str) -> Review | None:
        """Return the version's newest case."""
        return Review.objects.filter(version=self.version(number)).order_by("-opened_at", "-pk").first()

    def attempt(self, call: Callable[[], Any], *, is_legal: bool) -> bool:
        """Try something; the product has to see its legality as the model does."""
        refusal: PlatformError | None = None
        try:
            with transaction.atomic():
                call()
        except PlatformError as error:
            refusal = error
        assert (refusal is None) == is_legal, refusal
        assert refusal is None or refusal.status in (403, 409, 422)
        return refusal is None

    @initialize(first=integers(0, 6), second=integers(0, 6))
    def begin(self, first: int, second: int) -> None:
        """Both versions are somewhere on their way."""
        self.go_on("1.0.0", first)
        self.go_on("2.0.0", second)

    @rule(number=numbers, count=integers(1, 4))
    def go_on(self, number: str, count: int) -> None:
        """Take the usual next steps, so that the walk comes far."""
        for _ in range(count):
            holder = self.model.claimed_by[number] or "rita"
            steps: dict[str, Callable[[], None]] = {
                "draft": lambda: self.validate(number),
                "validated": lambda: self.submit(number),
                "changes_requested": lambda: self.submit(number),
                "submitted": lambda: self.claim(number, holder),  # noqa: B023 - Called at once.
                "in_review": lambda: self.approve(number, holder),  # noqa: B023
                "approved": lambda: self.publish(number),
                "superseded": lambda: self.roll_back(number),
                "suspended": lambda: self.resume(number, "reviewer"),
            }
            steps.get(self.model.states[number], lambda: None)()

    def states(self) -> dict[str, str]:
        """Return the states by number."""
        return dict(Version.objects.filter(package=self.package).values_list("version", "state"))

    @rule(number=numbers)
    def edit(self, number: str) -> None:
        """The provider changes a text."""
        is_legal = self.model.states[number] in ("draft", "validated", "changes_requested")
        call = lambda: edit_version(self.version(number), self.acme.attempt, {"changelog": "Better"})  # noqa: E731
        if self.attempt(call, is_legal=is_legal):
            self.model.states[number] = "draft"

    @rule(number=numbers)
    def validate(self, number: str) -> None:
        """A run passes."""
        is_legal = self.model.states[number] in ("draft", "changes_requested")
        pass_run(self.version(number))
        if self.attempt(lambda: transition(self.version(number), Verb.PASS_VALIDATION, SYSTEM), is_legal=is_legal):
            self.model.states[number] = "validated"

    @rule(number=numbers)
    def submit(self, number: str) -> None:
        """The provider submits."""
        call = lambda: submit_version(self.version(number), self.acme.attempt)  # noqa: E731
        if self.attempt(call, is_legal=self.model.can_submit(number)):
            self.model.states[number] = "submitted"

    @rule(number=numbers)
    def withdraw(self, number: str) -> None:
        """The provider takes a submission back."""
        is_legal = self.model.states[number] in ("submitted", "in_review")
        if self.attempt(lambda: withdraw_version(self.version(number), self.acme.attempt), is_legal=is_legal):
            self.model.states[number], self.model.claimed_by[number] = "draft", None

    @rule(number=numbers, name=reviewers)
    def claim(self, number: str, name: str) -> None:
        """A reviewer claims, or claims anew what they hold."""
        state, holder = self.model.states[number], self.model.claimed_by[number]
        is_legal = state == "submitted" or (state == "in_review" and holder == name)
        case = self.case(number)
        if case and self.attempt(lambda: claim_review(case, reviewer=self.staff[name]), is_legal=is_legal):
            self.model.states[number], self.model.claimed_by[number] = "in_review", name

    @rule(number=numbers, name=reviewers)
    def release(self, number: str, name: str) -> None:
        """A reviewer gives a claim back."""
        case, is_legal = self.case(number), self.holds(number, name)
        if case and self.attempt(lambda: release_claim(case, reviewer=self.staff[name]), is_legal=is_legal):
            self.model.states[number], self.model.claimed_by[number] = "submitted", None

    @rule(number=numbers, name=reviewers)
    def approve(self, number: str, name: str) -> None:
        """A reviewer approves."""
        self.decide(number, name, "approved", approve_as)

    @rule(number=numbers, name=reviewers)
    def ask_for_changes(self, number: str, name: str) -> None:
        """A reviewer asks for changes."""
        self.decide(number, name, "changes_requested", _asking)

    @rule(number=numbers, name=reviewers)
    def refuse(self, number: str, name: str) -> None:
        """A reviewer rejects."""
        self.decide(number, name, "rejected", _rejecting)

    def decide(self, number: str, name: str, state: str, verb: Callable[[Review, User], object]) -> None:
        """Take a decision, which only the holder of the claim may."""
        case, is_legal = self.case(number), self.holds(number, name)
        if case and self.attempt(lambda: verb(case, self.staff[name]), is_legal=is_legal):
            self.model.states[number], self.model.claimed_by[number] = state, None

    def holds(self, number: str, name: str) -> bool:
        """Say whether a reviewer may decide on a version now."""
        return self.model.states[number] == "in_review" and self.model.claimed_by[number] == name

    @rule(number=numbers)
    def publish(self, number: str) -> None:
        """The provider publishes; what is listed already stays so."""
        state = self.model.states[number]
        is_legal = state == "listed" or (
            state == "approved" and self.model.states[self.model.other(number)] not in ("submitted", "in_review")
        )
        if self.attempt(lambda: publish_version(self.version(number), self.acme.attempt), is_legal=is_legal):
            self.model.list_it(number)

    @rule(number=numbers)
    def roll_back(self, number: str) -> None:
        """The provider lists an earlier version again."""
        is_legal = self.model.states[number] == "superseded"
        if self.attempt(lambda: rollback_version(self.version(number), self.acme.attempt), is_legal=is_legal):
            self.model.list_it(number)

    @rule(number=numbers, role=sampled_from(("provider", "reviewer")))
    def suspend(self, number: str, role: str) -> None:
        """The provider or a reviewer suspends."""
        is_legal = self.model.states[number] == "listed"
        if self.attempt(lambda: suspend_version(self.version(number), self.as_(role)), is_legal=is_legal):
            self.model.states[number], self.model.suspended_by[number] = "suspended", role

    @rule(number=numbers, role=sampled_from(("provider", "reviewer")))
    def resume(self, number: str, role: str) -> None:
        """The provider or a reviewer resumes; what a reviewer suspended, only a reviewer."""
        is_free = self.model.states[self.model.other(number)] != "listed"
        may = role == "reviewer" or self.model.suspended_by.get(number) == "provider"
        is_legal = self.model.states[number] == "suspended" and is_free and may
        if self.attempt(lambda: resume_version(self.version(number), self.as_(role)), is_legal=is_legal):
            self.model.states[number] = "listed"

    def as_(self, role: str) -> Attempt:
        """Return who tries something."""
        return self.acme.attempt if role == "provider" else attempt_of(self.staff["rita"])

    @invariant()
    def both_agree(self) -> None:
        """The states are the model's, one is listed at most, and each version's history leads to its state."""
        states = self.states()
        assert states == self.model.states
        assert list(states.values()).count("listed") <= 1
        for version in Version.objects.filter(package=self.package).only("state"):
            steps = AuditEntry.objects.filter(subject=version.pk).exclude(to_state="").order_by("sequence")
            at = ""
            for source, target in steps.values_list("from_state", "to_state"):
                assert source == at
                at = target
            assert at == version.state


def _asking(case: Review, user: User) -> object:
    return request_changes(case, reviewer=user, reasons=reasons(), comment="")


def _rejecting(case: Review, user: User) -> object:
    return reject(case, reviewer=user, reasons=reasons(), comment="")


def test_machine_and_model_agree(acme: Maker, make_reviewer: Callable[..., User]) -> None:
    reasons()
    VersionMachine.acme, VersionMachine.staff = acme, {"rita": make_reviewer(), "paul": make_reviewer()}
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    options = settings(max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(VersionMachine, settings=options)
