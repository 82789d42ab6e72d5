"""No version becomes listed without its tier's approvals for its content, on whatever route it is tried."""

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from aiffinity.lib.ids import new_id
from aiffinity.lib.ratelimit import redis_client
from packages.models import PolicyReason, Review, ReviewDecision, RiskTier, Version
from packages.policy_reasons import ensure_policy_texts
from packages.reviewing.cases import open_review
from packages.versions import add_version
from providers.models import User
from runtime.models import RuntimeApp
from tests.conftest import PASSWORD
from tests.flows.listing_routes import DATABASE_ROUTES, HTTP_ROUTES, INNER_ROUTES, Desks, Route
from tests.packages.conftest import Maker
from tests.packages.reviewing.cases import attest, grant

pytestmark = pytest.mark.django_db

OPEN_STATES = ("draft", "validated", "submitted", "in_review", "changes_requested", "rejected")
# Such rows say that they were approved; without the decisions behind it, that is a lie.
APPROVED_STATES = ("approved", "superseded", "suspended")
Approvals = list[tuple[bool, bool] | None]
# Approvals as (is_security, is_architecture), the submitter's own being None; each is one too few or of a wrong kind.
TOO_FEW: dict[str, Approvals] = {
    "data_only": [None],
    "action_capable": [None],
    "high_trust": [(False, False), (False, False), None],
    "strategic_surface": [(True, False), (False, False), None],
}
ENOUGH: dict[str, Approvals] = {
    "data_only": [(False, False)],
    "action_capable": [(False, False)],
    "high_trust": [(True, False), (False, False)],
    "strategic_surface": [(True, False), (False, True)],
}

# The routes that list what has its approvals, or get the last one on their way.
LISTING_ROUTES = (
    "publish",
    "rollback",
    "resume",
    "suspend and resume",
    "withdraw, submit and publish",
    "resume in the console",
    "approve",
    "claim and approve",
    "bulk approve",
    "bulk suspend, resume",
    "sweeps",
    "update",
    "save",
)


def is_approved(version: Version, approvals: list[ReviewDecision]) -> bool:
    """Say whether a version has the approvals of its tier, by others than its submitter, for what it holds now."""
    own = {version.submitted_by_id, version.package.account.owner_id}
    given = [
        row
        for row in approvals
        if row.review.version_id == version.pk
        and row.content_hash == version.content_hash
        and row.reviewer_id not in own
    ]
    people = {row.reviewer_id for row in given}
    security = {row.reviewer_id for row in given if row.is_security}
    architecture = {row.reviewer_id for row in given if row.is_architecture}
    return (
        version.approved_content_hash == version.content_hash
        and {
            "data_only": len(people) >= 1,
            "action_capable": len(people) >= 1,
            "high_trust": len(people) >= 2 and bool(security),
            "strategic_surface": any(one != other for one in security for other in architecture),
        }[version.risk_tier]
    )


@pytest.fixture
def desks(maker: Callable[..., Maker]) -> Desks:
    """A provider who is a superuser as well, and a superuser who is nobody's provider."""
    acme = maker()
    User.objects.filter(pk=acme.account.owner_id).update(is_staff=True, is_superuser=True)
    root = User.objects.create_superuser("root@aiffinity.me", PASSWORD)
    ensure_policy_texts()
    return Desks(acme, root, PolicyReason.objects.order_by("pk")[0].pk)


def prepared(desks: Desks, tier: str, state: str, approvals: Approvals) -> Version:
    """Return a version in a state, above one that was listed, which asks for more and so needs a reviewer always.

    It lacks nothing but approvals, and is to be published as soon as it has them. Other content had them all.
    """
    acme = desks.acme
    base = acme.version("superseded" if state == "suspended" else "listed", risk_tier=tier)
    attest(base)
    grant(base, desks.root)
    wider = [{**acme.capabilities[0], "permissions": ["weather:read", "location:read"]}]
    fields = {"capabilities": wider, "version": "2.0.0", "publish_on_approval": True}
    version = add_version(base.package, acme.attempt, fields)
    acme.put_into(version, state)
    if state == "submitted":
        open_review(version)
    ReviewDecision.objects.filter(review__version=version).delete()
    review = Review.objects.filter(version=version, closed_at=None).first() or _closed(version)
    if state == "in_review":
        Review.objects.filter(pk=review.pk).update(claimed_by=desks.root, claim_expires_at="2099-01-01T00:00:00Z")
    _approve(review, approvals, version.content_hash)
    _approve(review, ENOUGH[tier], "0" * 64)
    return version


def _closed(version: Version) -> Review:
    now = timezone.now()
    dates = dict.fromkeys(("first_submitted_at", "queued_at", "due_at", "closed_at"), now)
    return Review.objects.create(version=version, tier=version.risk_tier, outcome="withdrawn", **dates)


def _approve(review: Review, approvals: Approvals, content_hash: str) -> None:
    account = review.version.package.account
    config_hash = RuntimeApp.objects.get(pk=review.version.package.app_id).config_hash
    for kinds in approvals:
        address = f"{new_id('approver')}@aiffinity.me".lower()
        ReviewDecision.objects.create(
            review=review,
            reviewer=account.owner if kinds is None else User.objects.create_user(address, None, is_staff=True),
            decision="approve",
            is_security=kinds is None or kinds[0],
            is_architecture=kinds is None or kinds[1],
            content_hash=content_hash,
            config_hash=config_hash,
        )


class Listed(NamedTuple):
    """A version that is listed, and whether it may be."""

    pk: str
    package_id: str
    is_approved: bool


def listed_by(route: Route, desks: Desks, version: Version) -> list[Listed]:
    """Try a route, say what is listed after it, and take it back."""
    redis_client().flushdb()
    with transaction.atomic():
        try:
            with transaction.atomic():
                route(desks, Version.objects.select_related("package__app", "package__account").get(pk=version.pk))
                commit()
        except IntegrityError:
            return []
        listed = Version.objects.filter(state="listed").select_related("package__account").defer("capabilities")
        approvals = list(ReviewDecision.objects.filter(decision="approve").select_related("review"))
        found = [Listed(each.pk, each.package_id, is_approved(each, approvals)) for each in listed]
        transaction.set_rollback(True)
    return found


def commit() -> None:
    """Let the database say now what it would say at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def states_of(tier: str) -> tuple[str, ...]:
    """Return the states that a version without its approvals may be in, or be said to be in."""
    # The database leaves data_only to the verbs, and they never write a row that lies about its approvals.
    return OPEN_STATES if tier == "data_only" else (*OPEN_STATES, *APPROVED_STATES)


@pytest.mark.parametrize("tier", RiskTier.values)
def test_nothing_is_listed_without_its_approvals(desks: Desks, tier: str) -> None:
    routes = {**HTTP_ROUTES, **INNER_ROUTES, **({} if tier == "data_only" else DATABASE_ROUTES)}
    versions = {state: prepared(desks, tier, state, TOO_FEW[tier]) for state in states_of(tier)}
    bases = set(Version.objects.filter(version="1.0.0").values_list("pk", flat=True))
    commit()
    illegal = []
    for (state, version), (name, route) in product(versions.items(), routes.items()):
        found = listed_by(route, desks, version)
        is_once = len({each.package_id for each in found}) == len(found)
        if not is_once or not all(each.is_approved or each.pk in bases for each in found):
            illegal.append((state, name))
    assert illegal == []


@pytest.mark.parametrize("tier", RiskTier.values)
def test_the_routes_list_what_is_approved(desks: Desks, tier: str) -> None:
    """Without this, a route that never lists anything would prove nothing."""
    versions = [prepared(desks, tier, state, ENOUGH[tier]) for state in APPROVED_STATES]
    # One approval is missing, which the superuser can give.
    versions.append(prepared(desks, tier, "in_review", ENOUGH[tier][:-1]))
    commit()
    routes = {**HTTP_ROUTES, **INNER_ROUTES, **DATABASE_ROUTES}
    for name in LISTING_ROUTES:
        listed = [{each.pk for each in listed_by(routes[name], desks, version)} for version in versions]
        assert any(version.pk in found for version, found in zip(versions, listed, strict=True)), name
