"""What a fresh database starts with: groups of staff, reasons of the policy, canned texts."""

import pytest
from django.contrib.auth.models import Group

from packages.groups import GROUP_PERMISSIONS, ensure_groups
from packages.models import CannedText, PolicyReason
from packages.policy_reasons import CANNED_TEXTS, REASONS, ensure_policy_texts

pytestmark = pytest.mark.django_db


def test_every_group_has_exactly_its_permissions_and_all_of_them_exist() -> None:
    ensure_groups()
    for name, wanted in GROUP_PERMISSIONS.items():
        group = Group.objects.get(name=name)
        held = group.permissions.values_list("content_type__app_label", "codename")
        assert {f"{label}.{codename}" for label, codename in held} == set(wanted)


def test_only_the_group_that_is_named_so_has_a_special_permission() -> None:
    holders = {
        permission: {name for name, wanted in GROUP_PERMISSIONS.items() if f"packages.{permission}" in wanted}
        for permission in ("security_review_version", "architecture_review_version", "curate_package")
    }
    assert holders == {
        "security_review_version": {"security_reviewer"},
        "architecture_review_version": {"architecture_reviewer"},
        "curate_package": {"curator"},
    }


def test_policy_texts_are_made_once_and_staffs_changes_stay() -> None:
    ensure_policy_texts()
    PolicyReason.objects.filter(code="privacy_policy").update(title="Ours", is_active=False)
    ensure_policy_texts()
    assert PolicyReason.objects.count() == len(REASONS) >= 12
    assert CannedText.objects.count() == len(CANNED_TEXTS)
    changed = PolicyReason.objects.get(code="privacy_policy")
    assert (changed.title, changed.is_active) == ("Ours", False)


def test_links_of_reasons_lead_to_calls_of_the_api(client) -> None:
    operations = {
        f"/{tag}/{operation['operationId']}"
        for path in client.get("/v1/openapi.json").json()["paths"].values()
        for operation in path.values()
        for tag in operation["tags"]
    }
    calls = {reason.call for reason in REASONS}
    assert calls - {""} <= operations
    assert len(calls) >= 4
