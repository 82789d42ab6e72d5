"""The database refuses a listed version without its tier's approvals, whoever writes the row."""

import pytest
from django.db import IntegrityError, connection, transaction

from packages.models import ReviewDecision, Version

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
