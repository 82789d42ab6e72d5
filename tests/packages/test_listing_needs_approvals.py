"""The database refuses a listed version without its tier's approvals, whoever writes the row."""

import pytest
from django.db import IntegrityError, connection, transaction

from packages.models import ReviewDecision, Version
from providers.models import Account

pytestmark = pytest.mark.django_db


def list_it(version: Version) -> None:
    with transaction.atomic():
        Version.objects.filter(pk=version.pk).update(state="listed")
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("tier", ["action_capable", "high_trust", "strategic_surface"])
def test_a_version_with_its_approvals_is_taken_and_one_without_is_refused(acme, tier):
    version = acme.version("approved", risk_tier=tier)
    ReviewDecision.objects.filter(review__version=version).update(content_hash="0" * 64)
    with pytest.raises(IntegrityError, match="is not approved"):
        list_it(version)
    assert Version.objects.get(pk=version.pk).state == "approved"

    ReviewDecision.objects.filter(review__version=version).update(content_hash=version.content_hash)
    list_it(version)
    assert Version.objects.get(pk=version.pk).state == "listed"


@pytest.mark.parametrize(
    ("tier", "change"),
    [
        ("high_trust", {"is_security": False}),
        ("strategic_surface", {"is_security": False}),
        ("strategic_surface", {"is_architecture": False}),
        ("high_trust", {"decision": "reject"}),
    ],
)
def test_the_approvers_must_be_of_the_right_kind(acme, tier, change):
    version = acme.version("approved", risk_tier=tier)
    ReviewDecision.objects.filter(review__version=version).update(**change)
    with pytest.raises(IntegrityError, match="is not approved"):
        list_it(version)


def test_one_approver_is_not_two(acme):
    version = acme.version("approved", risk_tier="high_trust")
    ReviewDecision.objects.filter(review__version=version, is_architecture=True).delete()
    with pytest.raises(IntegrityError, match="1 approvers"):
        list_it(version)


def test_data_only_needs_none(acme):
    list_it(acme.version("approved"))


@pytest.mark.parametrize("tier", ["action_capable", "high_trust", "strategic_surface"])
@pytest.mark.parametrize("column", ["submitted_by", "owner"])
def test_who_submitted_or_owns_it_is_no_approver(acme, tier, column):
    version = acme.version("approved", risk_tier=tier)
    decision = ReviewDecision.objects.filter(review__version=version).order_by("pk")[0]
    if column == "owner":
        Account.objects.filter(pk=acme.account.pk).update(owner=decision.reviewer)
    else:
        Version.objects.filter(pk=version.pk).update(submitted_by=decision.reviewer)
    with pytest.raises(IntegrityError, match="is not approved"):
        list_it(version)


def test_one_who_is_both_kinds_of_reviewer_fills_one_place(acme):
    version = acme.version("approved", risk_tier="strategic_surface")
    decisions = ReviewDecision.objects.filter(review__version=version)
    decisions.filter(is_security=True).update(is_architecture=True)
    list_it(version)
    Version.objects.filter(pk=version.pk).update(state="approved")
    decisions.filter(is_security=False).update(is_architecture=False)
    with pytest.raises(IntegrityError, match="2 approvers"):
        list_it(version)


def test_a_tier_does_not_change_under_its_hash(acme):
    version = acme.version("approved", risk_tier="high_trust")
    ReviewDecision.objects.filter(review__version=version).delete()
    with pytest.raises(IntegrityError, match="content hash did not"), transaction.atomic():
        Version.objects.filter(pk=version.pk).update(state="listed", risk_tier="data_only")
    assert Version.objects.get(pk=version.pk).risk_tier == "high_trust"
