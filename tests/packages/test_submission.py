"""The provider's way into the catalog over the API: gates, listing, publish, suspend, resume, roll back."""

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from packages.listing import bump_install_count, list_submitted_versions
from packages.models import Package, Review, Version
from packages.suspension import delist_orphans, lapse_approvals
from providers.models import App, User
from tests.packages.conftest import Maker, as_reviewer, pass_run
from tests.packages.reviewing.cases import attest, grant
from tests.runtime import documents


def step(acme: Maker, version: Version, verb: str, body: dict[str, Any] | None = None) -> Any:
    return acme("POST", f"/{version.package_id}/versions/{version.pk}/{verb}", body or {})


def status_of(version: Version) -> str:
    return str(vars(Package.objects.with_status().get(pk=version.package_id))["status"])


def failed_gates(response: Any) -> list[str]:
    assert (response.status_code, response.json()["error"]["code"]) == (422, "GATE_NOT_PASSED"), response.content
    return [detail["code"] for detail in response.json()["error"]["details"]]


def test_data_only_is_listed_by_the_answer_to_submit(acme: Maker) -> None:
    acme.subscribe()
    version = acme.version("validated")
    response = step(acme, version, "submit")
    assert (response.status_code, response.json()["data"]["state"]) == (200, "listed"), response.content
    listed = Version.objects.get(pk=version.pk)
    assert (listed.approved_content_hash, listed.approved_config_hash) == (version.content_hash, acme.config_hash)
    assert status_of(version) == "published"
    assert list(Version.objects.listed()) == [listed]
    assert acme.events() == ["package.submitted", "package.published"]
    assert not Review.objects.exists()


def test_listing_supersedes_the_listed_version(acme: Maker) -> None:
    first = acme.version("listed")
    second = acme.version("validated", package=first.package)
    assert step(acme, second, "submit").json()["data"]["state"] == "listed"
    assert Version.objects.get(pk=first.pk).state == "superseded"


@pytest.mark.parametrize("tier", ["action_capable", "high_trust", "strategic_surface"])
def test_higher_tiers_stop_at_submitted_with_an_open_review(
    acme: Maker, make_reviewer: Callable[..., User], tier: str
) -> None:
    version = acme.version("validated", risk_tier=tier)
    attest(version)
    grant(version, make_reviewer("curator"))
    assert step(acme, version, "submit").json()["data"]["state"] == "submitted"
    assert list_submitted_versions() == 0
    assert Review.objects.get(version=version).closed_at is None
    response = step(acme, version, "publish")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "INVALID_STATE")


@pytest.mark.parametrize("change", ["host", "breaking", "permission", "held"])
def test_data_only_that_goes_further_than_before_waits_for_a_reviewer(acme: Maker, change: str) -> None:
    capability = copy.deepcopy(documents.STATE)
    first = acme.version("suspended" if change == "held" else "listed")
    number = "1.1.0"
    if change == "host":
        acme.set_runtime(config_hash="another")
    if change == "permission":
        capability["permissions"] = ["location:read"]
    if change == "held":
        Version.objects.update(suspended_by="reviewer")
    if change == "breaking":
        del capability["schema"]["properties"]["condition"]
        capability["schema"]["required"].remove("condition")
        number = "2.0.0"
    second = acme.version("validated", package=first.package, capabilities=[capability], version=number)
    assert step(acme, second, "submit").json()["data"]["state"] == "submitted"
    assert Review.objects.filter(version=second, closed_at=None).exists()
    assert list_submitted_versions() == 0


@pytest.mark.parametrize(
    ("gate", "break_it"),
    [
        ("account_verified", lambda acme, _: acme.set_account(email_verified_at=None)),
        ("app_active", lambda acme, _: acme.set_runtime(status="paused")),
        ("app_healthy", lambda acme, _: acme.set_runtime(health_status="degraded")),
        ("app_healthy", lambda acme, _: acme.set_runtime(health_check_url="")),
        ("validation_passed", lambda _, version: pass_run(version, state="failed", age=timedelta(minutes=1))),
        ("validation_passed", lambda _, version: pass_run(version, state="errored", age=timedelta(minutes=1))),
        ("validation_passed", lambda _, version: version.validation_runs.update(content_hash="0" * 64)),
        (
            "validation_fresh",
            lambda _, version: version.validation_runs.update(finished_at=timezone.now() - timedelta(days=8)),
        ),
        ("no_version_in_review", lambda acme, version: acme.version("submitted", package=version.package)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_failed_gate_refuses_submit_and_publish_and_changes_nothing(
    acme: Maker, gate: str, break_it: Callable[[Maker, Version], Any]
) -> None:
    acme.subscribe()
    for state, verb in (("validated", "submit"), ("approved", "publish")):
        version = acme.version(state, risk_tier="action_capable")
        break_it(acme, version)
        assert failed_gates(step(acme, version, verb)) == [gate]
        assert Version.objects.get(pk=version.pk).state == state
        shown = acme("GET", f"/{version.package_id}/versions/{version.pk}").json()["data"]["gates"]
        assert [each["name"] for each in shown if not each["passed"]] == [gate]
    assert acme.events() == []


def test_suspended_account_gets_403_and_the_gate_says_so(acme: Maker) -> None:
    version = acme.version("validated")
    acme.set_account(suspended_at=timezone.now())
    response = step(acme, version, "submit")
    assert (response.status_code, response.json()["error"]["code"]) == (403, "ACCOUNT_SUSPENDED")


def test_every_failed_gate_stands_in_details(acme: Maker) -> None:
    acme.capabilities = [documents.ACTION]
    version = acme.version("validated")
    acme.set_account(email_verified_at=None)
    acme.set_runtime(status="paused", health_check_url="")
    response = step(acme, version, "submit")
    assert failed_gates(response) == ["account_verified", "app_active", "app_healthy", "risk_tier_sufficient"]
    first = response.json()["error"]["details"][0]
    assert first["field"] == "gates.account_verified"
    assert response.json()["error"]["message"].startswith("account_verified: Verify the account's mail address")


def test_listing_above_data_only_needs_more_fields(acme: Maker) -> None:
    version = acme.version("validated", risk_tier="action_capable", category="", support_url="")
    response = step(acme, version, "submit")
    assert failed_gates(response) == ["listing_complete"]
    assert "category, support_url" in response.json()["error"]["message"]


def test_sensitive_data_needs_a_higher_tier(acme: Maker) -> None:
    capability = copy.deepcopy(documents.STATE)
    capability["schema"]["properties"]["temperature_c"]["x-sensitivity"] = "health"
    version = acme.version("validated", capabilities=[capability], risk_tier="action_capable")
    assert failed_gates(step(acme, version, "submit")) == ["risk_tier_sufficient"]


def test_high_trust_needs_a_validation_score_of_85(acme: Maker) -> None:
    version = acme.version("validated", risk_tier="high_trust")
    attest(version)
    version.validation_runs.update(score=84)
    assert failed_gates(step(acme, version, "submit")) == ["certified"]


def test_breaking_drift_needs_a_major_number(acme: Maker) -> None:
    first = acme.version("listed")
    capability = {**copy.deepcopy(documents.STATE), "name": "weather_now"}
    second = acme.version("validated", package=first.package, capabilities=[capability], version="1.5.0")
    assert failed_gates(step(acme, second, "submit")) == ["breaking_drift_is_major"]


def test_submit_of_requested_changes_keeps_the_first_submission_date_and_the_case(acme: Maker) -> None:
    version = acme.version("changes_requested", risk_tier="action_capable")
    case = Review.objects.get(version=version)
    assert step(acme, version, "submit").json()["data"]["state"] == "submitted"
    assert Version.objects.get(pk=version.pk).first_submitted_at == version.first_submitted_at
    assert list(Review.objects.filter(version=version, closed_at=None)) == [case]


def test_withdraw_takes_the_version_out_of_the_queue(acme: Maker) -> None:
    version = acme.version("submitted", risk_tier="action_capable")
    assert step(acme, version, "withdraw").json()["data"]["state"] == "draft"
    assert not Review.objects.filter(version=version, closed_at=None).exists()


def test_publish_lists_what_was_approved_and_is_200_a_second_time(acme: Maker) -> None:
    acme.subscribe()
    version = acme.version("approved", risk_tier="action_capable")
    path = f"/{version.package_id}/versions/{version.pk}/publish"
    for raw in (b"", b"{}"):
        response = acme("POST", path, raw)
        assert (response.status_code, response.json()["data"]["state"]) == (200, "listed")
    assert acme.events() == ["package.published"]


def test_publish_is_refused_when_the_app_changed_since_the_approval(acme: Maker) -> None:
    version = acme.version("approved", risk_tier="action_capable")
    acme.set_runtime(config_hash="another")
    response = step(acme, version, "publish")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "INVALID_STATE")
    assert lapse_approvals() == 1
    assert Version.objects.get(pk=version.pk).state == "draft"


def test_approval_unused_for_30_days_lapses(acme: Maker) -> None:
    old, fresh = (acme.version("approved", risk_tier="action_capable") for _ in range(2))
    Version.objects.filter(pk=old.pk).update(approved_at=timezone.now() - timedelta(days=31))
    assert lapse_approvals() == 1
    assert [Version.objects.get(pk=each.pk).state for each in (old, fresh)] == ["draft", "approved"]


def test_suspend_and_resume_by_the_provider(acme: Maker) -> None:
    acme.subscribe()
    version = acme.version("listed")
    suspended = step(acme, version, "suspend", {"reason": "An outage"}).json()["data"]
    assert (suspended["state"], suspended["suspended_by"]) == ("suspended", "provider")
    assert status_of(version) == "suspended"
    assert not Version.objects.listed().exists()
    assert step(acme, version, "resume").json()["data"]["state"] == "listed"
    assert acme.events() == ["package.suspended", "package.resumed"]
    again = step(acme, version, "resume")
    assert again.status_code == 409
    assert again.json()["error"]["message"] == "A version in state 'listed' can't resume. It allows: suspend, delist."


def test_resume_is_refused_while_another_version_is_listed(acme: Maker) -> None:
    first = acme.version("suspended")
    acme.version("listed", package=first.package)
    response = step(acme, first, "resume")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "INVALID_STATE")


def test_rollback_lists_the_earlier_version_and_supersedes_the_later(acme: Maker) -> None:
    first = acme.version("superseded")
    second = acme.version("listed", package=first.package)
    assert step(acme, first, "rollback").json()["data"]["state"] == "listed"
    assert Version.objects.get(pk=second.pk).state == "superseded"
    acme.set_runtime(config_hash="another")
    assert step(acme, second, "rollback").status_code == 409
    assert Version.objects.get(pk=first.pk).state == "listed"


def test_sweep_lists_what_submit_could_not(acme: Maker) -> None:
    version = acme.version("submitted")
    approved = acme.version("approved", risk_tier="action_capable", publish_on_approval=True)
    acme.version("approved", risk_tier="action_capable")
    acme.set_runtime(health_status="degraded")
    assert list_submitted_versions() == 0
    acme.set_runtime(health_status="healthy")
    assert list_submitted_versions() == 2
    assert set(Version.objects.filter(state="listed")) == {version, approved}


def test_database_refuses_a_second_listed_version_and_one_that_was_not_approved(acme: Maker) -> None:
    first = acme.version("listed")
    second = acme.version("validated", package=first.package)
    with pytest.raises(IntegrityError, match="version_one_listed_per_package"), transaction.atomic():
        Version.objects.filter(pk=second.pk).update(state="listed", approved_content_hash=second.content_hash)
    other = acme.version("validated")
    with pytest.raises(IntegrityError, match="version_listed_as_approved"), transaction.atomic():
        Version.objects.filter(pk=other.pk).update(state="listed")
    with pytest.raises(IntegrityError, match="version_listed_as_approved"), transaction.atomic():
        Version.objects.filter(pk=first.pk).update(content_hash="0" * 64)


def test_install_count_follows_installs_and_never_falls_below_zero(acme: Maker) -> None:
    package = acme.package()
    bump_install_count(package.pk, 2)
    bump_install_count(package.pk, -1)
    assert Package.objects.get(pk=package.pk).install_count == 1
    bump_install_count(package.pk, -5)
    assert Package.objects.get(pk=package.pk).install_count == 0


def test_resubmitting_gets_no_second_event(acme: Maker, make_reviewer: Callable[..., User]) -> None:
    acme.subscribe()
    version = acme.version("validated", risk_tier="action_capable")
    assert step(acme, version, "submit").status_code == 200
    second = step(acme, version, "submit")
    assert second.status_code == 409
    assert second.json()["error"]["message"] == "A version in state 'submitted' can't submit. It allows: withdraw."
    assert acme.events() == ["package.submitted"]
    assert as_reviewer(make_reviewer(), version).seen_content_hash == version.content_hash


def test_answer_to_a_reviewer_is_not_listed_by_the_system(acme: Maker) -> None:
    version = acme.version("changes_requested")
    response = step(acme, version, "submit")
    assert (response.status_code, response.json()["data"]["state"]) == (200, "submitted")
    assert list_submitted_versions() == 0
    assert Review.objects.get(version=version).closed_at is None


@pytest.mark.parametrize(("days", "state"), [(29, "listed"), (31, "superseded")])
def test_orphan_is_delisted_by_the_system_after_thirty_days(acme: Maker, days: int, state: str) -> None:
    version = acme.version("listed")
    App.objects.filter(pk=acme.runtime_app.pk).update(deleted_at=timezone.now() - timedelta(days=days))
    assert Version.objects.listed().exists() is (state == "listed")
    assert delist_orphans() == (state == "superseded")
    assert Version.objects.get(pk=version.pk).state == state
    assert delist_orphans() == 0


def test_publish_on_approval_is_asked_for_at_submit(acme: Maker) -> None:
    version = acme.version("validated", risk_tier="action_capable")
    refused = step(acme, version, "submit", {"publish_on_approval": "yes"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    answer = step(acme, version, "submit", {"publishOnApproval": True}).json()["data"]
    assert (answer["state"], answer["publish_on_approval"]) == ("submitted", True)
    assert answer["review"]["state"] == "queued"
