"""The version state machine: every verb and role in every state, audit rows, events and races."""

import itertools
from collections.abc import Callable

import pytest

from aiffinity.lib.audit import find_breaks
from aiffinity.lib.errors import InvalidState, PermissionDenied, PlatformError
from aiffinity.lib.models import AuditEntry
from packages.guards import SYSTEM, Attempt, Role
from packages.models import Review, Version, VersionState
from packages.reviewing.claims import claim_review
from packages.states import TABLE, Verb, allowed_verbs, transition
from packages.submission import publish_version, submit_version
from providers.models import User
from tests.packages.conftest import Maker, as_reviewer, pass_run
from tests.parallel import in_parallel

ROWS = {(row.source, row.verb): row for row in TABLE}

# What spec 3 says, written out a second time so that a slip in the table shows.
SPEC = {
    ("draft", "edit"): ("draft", {"provider"}),
    ("validated", "edit"): ("draft", {"provider"}),
    ("changes_requested", "edit"): ("draft", {"provider"}),
    ("draft", "pass_validation"): ("validated", {"system"}),
    ("changes_requested", "pass_validation"): ("validated", {"system"}),
    ("validated", "submit"): ("submitted", {"provider"}),
    ("changes_requested", "submit"): ("submitted", {"provider"}),
    ("submitted", "claim"): ("in_review", {"reviewer"}),
    ("in_review", "release"): ("submitted", {"reviewer", "system"}),
    ("submitted", "withdraw"): ("draft", {"provider"}),
    ("in_review", "withdraw"): ("draft", {"provider"}),
    ("submitted", "auto_list"): ("listed", {"system"}),
    ("in_review", "approve"): ("approved", {"reviewer"}),
    ("in_review", "request_changes"): ("changes_requested", {"reviewer"}),
    ("in_review", "reject"): ("rejected", {"reviewer"}),
    ("approved", "publish"): ("listed", {"provider", "system"}),
    ("approved", "lapse"): ("draft", {"provider", "system"}),
    ("listed", "supersede"): ("superseded", {"system"}),
    ("listed", "suspend"): ("suspended", {"provider", "reviewer", "system"}),
    ("superseded", "rollback"): ("listed", {"provider"}),
    ("suspended", "resume"): ("listed", {"provider", "reviewer"}),
    ("listed", "delist"): ("superseded", {"provider", "system"}),
    ("suspended", "delist"): ("superseded", {"provider", "system"}),
}


def test_table_is_that_of_the_spec() -> None:
    found = {(str(row.source), str(row.verb)): (str(row.target), {str(role) for role in row.roles}) for row in TABLE}
    assert found == SPEC


def attempt_of(role: Role, acme: Maker, reviewer: User, version: Version) -> Attempt:
    if role is Role.PROVIDER:
        return acme.attempt
    return as_reviewer(reviewer, version) if role is Role.REVIEWER else SYSTEM


@pytest.mark.parametrize("state", VersionState.values)
def test_every_verb_and_role_of_a_state(state: str, acme: Maker, make_reviewer: Callable[..., User]) -> None:
    reviewer = make_reviewer()
    version = acme.version(state)
    pass_run(version)
    for verb, role in itertools.product(Verb, Role):
        acme.put_into(version, state)
        Review.objects.filter(version=version, closed_at=None).update(
            claimed_by=reviewer, claim_expires_at="2099-01-01T00:00:00Z"
        )
        before = AuditEntry.objects.filter(subject=version.pk).count()
        row = ROWS.get((VersionState(state), verb))
        # The columns that a listing writes, so that the database's own rule doesn't get in the way.
        changes = {"approved_content_hash": version.content_hash}
        attempt = attempt_of(role, acme, reviewer, version)
        if row is not None and role in row.roles:
            assert transition(version, verb, attempt, changes=changes).state == row.target
            assert AuditEntry.objects.filter(subject=version.pk).count() == before + 1
            continue
        expected: type[PlatformError] = InvalidState if row is None else PermissionDenied
        with pytest.raises(expected) as refused:
            transition(version, verb, attempt, changes=changes)
        assert Version.objects.get(pk=version.pk).state == state
        assert AuditEntry.objects.filter(subject=version.pk).count() == before
        if row is None:
            allowed = ", ".join(allowed_verbs(state, role)) or "nothing"
            assert refused.value.message == f"A version in state '{state}' can't {verb}. It allows: {allowed}."


def test_transition_writes_a_chained_audit_row_with_what_was_decided_on(acme: Maker) -> None:
    version = acme.version("listed")
    transition(version, Verb.SUSPEND, acme.attempt, changes={"suspended_by": "provider"})
    row = AuditEntry.objects.filter(subject=version.pk).latest("sequence")
    assert (row.action, row.from_state, row.to_state) == ("version.suspend", "listed", "suspended")
    assert row.content_hash == version.content_hash
    assert row.actor == acme.attempt.actor
    assert list(find_breaks()) == []


@pytest.mark.parametrize("suspended_by", ["reviewer", "system"])
def test_provider_cannot_resume_or_delist_what_the_platform_suspended(acme: Maker, suspended_by: str) -> None:
    version = acme.version("suspended")
    Version.objects.filter(pk=version.pk).update(suspended_by=suspended_by)
    for verb in (Verb.RESUME, Verb.DELIST):
        with pytest.raises(InvalidState, match="resumed by a reviewer only"):
            transition(version, verb, acme.attempt)
    assert Version.objects.get(pk=version.pk).state == "suspended"


def test_reviewer_resumes_what_the_system_suspended(acme: Maker, make_reviewer: Callable[..., User]) -> None:
    version = acme.version("suspended")
    Version.objects.filter(pk=version.pk).update(suspended_by="system")
    assert transition(version, Verb.RESUME, as_reviewer(make_reviewer())).state == "listed"


@pytest.mark.django_db(transaction=True)
def test_fifty_submissions_at_once_make_one_event(acme: Maker) -> None:
    acme.subscribe()
    version = acme.version("validated")

    def submit() -> str:
        try:
            return submit_version(Version.objects.select_related("package__app").get(pk=version.pk), acme.attempt).state
        except InvalidState:
            return "refused"

    results = in_parallel(50, submit)
    assert sorted(results) == ["listed"] + ["refused"] * 49
    assert acme.events() == ["package.submitted", "package.published"]
    assert list(find_breaks()) == []


@pytest.mark.django_db(transaction=True)
def test_fifty_publishes_at_once_make_one_event(acme: Maker) -> None:
    acme.subscribe()
    version = acme.version("approved", risk_tier="action_capable")
    results = in_parallel(50, lambda: publish_version(version, acme.attempt).state)
    assert results == ["listed"] * 50
    assert acme.events() == ["package.published"]
    assert AuditEntry.objects.filter(subject=version.pk, action="version.publish").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_versions_published_at_once_leave_one_listed(acme: Maker) -> None:
    first = acme.version("approved", risk_tier="action_capable")
    second = acme.version("approved", package=first.package, version="1.1.0")
    waiting = [first, second]
    in_parallel(2, lambda: publish_version(waiting.pop(), acme.attempt))
    assert sorted(Version.objects.values_list("state", flat=True)) == ["listed", "superseded"]


@pytest.mark.django_db(transaction=True)
def test_one_of_many_reviewers_gets_the_claim(acme: Maker, make_reviewer: Callable[..., User]) -> None:
    version = acme.version("submitted", risk_tier="action_capable")
    review = Review.objects.get(version=version)
    reviewers = [make_reviewer() for _ in range(8)]
    pending = list(reviewers)

    def claim() -> bool:
        try:
            claim_review(review, reviewer=pending.pop())
        except InvalidState:
            return False
        return True

    assert sum(in_parallel(8, claim)) == 1
