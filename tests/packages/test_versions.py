"""Versions over the API: numbers, edits and the drift report."""

import copy
from typing import Any

import pytest

from packages.models import Review, Version
from tests.packages.conftest import Maker, pass_run
from tests.runtime import documents


def without_condition() -> dict[str, Any]:
    """Return the documents' state capability without one of its promises."""
    body = copy.deepcopy(documents.STATE)
    del body["schema"]["properties"]["condition"]
    body["schema"]["required"].remove("condition")
    return body


def with_wind() -> dict[str, Any]:
    """Return the documents' state capability with one more property."""
    body = copy.deepcopy(documents.STATE)
    body["schema"]["properties"]["wind_ms"] = {"type": "number"}
    return body


@pytest.mark.parametrize(
    ("capability", "number"),
    [(without_condition(), "2.0.0"), (with_wind(), "1.1.0"), (documents.STATE, "1.0.1")],
    ids=["breaking", "widening", "same"],
)
def test_number_is_derived_from_the_drift(acme: Maker, capability: dict[str, Any], number: str) -> None:
    first = acme.version("listed")
    response = acme("POST", f"/{first.package_id}/versions", {"capabilities": [capability], "changelog": "News"})
    data = response.json()["data"]
    assert response.status_code == 201, response.content
    assert (data["version"], data["state"], data["risk_tier"]) == (number, "draft", "data_only")


def test_number_taken_or_malformed_or_too_low_is_refused(acme: Maker) -> None:
    first = acme.version("listed")
    path = f"/{first.package_id}/versions"
    for number, status in (("1.0.0", 409), ("1.1", 400), ("01.2.3", 400), ("0.9.0", 400)):
        response = acme("POST", path, {"capabilities": [documents.STATE], "version": number})
        assert (response.status_code, number) == (status, number)
    assert acme("POST", path, {"capabilities": [documents.STATE], "version": "7.0.0"}).status_code == 201


def test_edit_puts_a_validated_version_back_to_draft(acme: Maker) -> None:
    version = acme.version("validated")
    response = acme("PATCH", f"/{version.package_id}/versions/{version.pk}", {"capabilities": [with_wind()]})
    data = response.json()["data"]
    assert (data["state"], data["content_hash"] != version.content_hash) == ("draft", True)
    gate = next(gate for gate in data["gates"] if gate["name"] == "validation_passed")
    assert gate == {"name": "validation_passed", "passed": False, "message": "Validate this content: POST …/validate."}


def test_what_was_read_can_be_sent_again(acme: Maker) -> None:
    version = acme.version()
    path = f"/{version.package_id}/versions/{version.pk}"
    read = acme("GET", path).json()["data"]
    written = acme("PATCH", path, {"capabilities": read["capabilities"]}).json()["data"]
    assert (written["capabilities"], written["content_hash"]) == (read["capabilities"], read["content_hash"])


@pytest.mark.parametrize(
    "state", ["submitted", "in_review", "approved", "listed", "superseded", "suspended", "rejected"]
)
def test_edit_is_refused_naming_state_and_what_it_allows(acme: Maker, state: str) -> None:
    version = acme.version(state)
    response = acme("PATCH", f"/{version.package_id}/versions/{version.pk}", {"changelog": "Sneaky"})
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (409, "INVALID_STATE")
    assert f"'{state}'" in error["message"]
    assert Version.objects.get(pk=version.pk).changelog == ""


def test_edit_after_requested_changes_closes_the_case_and_keeps_the_place_in_the_queue(acme: Maker) -> None:
    version = acme.version("changes_requested")
    acme("PATCH", f"/{version.package_id}/versions/{version.pk}", {"capabilities": [with_wind()]})
    edited = Version.objects.get(pk=version.pk)
    assert (edited.state, edited.first_submitted_at) == ("draft", version.first_submitted_at)
    assert not Review.objects.filter(version=version, closed_at=None).exists()


def test_diff_against_the_listed_version_and_a_named_one(acme: Maker) -> None:
    listed = acme.version("listed")
    later = acme.version(package=listed.package, capabilities=[without_condition()])
    path = f"/{listed.package_id}/versions"
    report = acme("GET", f"{path}/{later.pk}/diff").json()["data"]
    assert (report["against"], report["level"], report["bump"]) == (listed.pk, "breaking", "major")
    assert report["changes"][0] == {
        "kind": "property_removed",
        "level": "breaking",
        "pointer": "/capabilities/0/schema/properties/condition",
        "message": "The property condition was removed.",
    }
    same = acme("GET", f"{path}/{later.pk}/diff?against={later.pk}").json()["data"]
    assert (same["level"], same["changes"], same["bump"]) == ("compatible", [], "patch")
    stranger = acme.version()
    assert acme("GET", f"{path}/{later.pk}/diff?against={stranger.pk}").status_code == 404


def test_version_says_what_can_be_done(acme: Maker) -> None:
    for state, actions in (
        ("draft", []),
        ("validated", ["submit"]),
        ("listed", ["suspend"]),
        ("suspended", ["resume"]),
    ):
        version = acme.version(state)
        data = acme("GET", f"/{version.package_id}/versions/{version.pk}").json()["data"]
        assert (data["state"], data["allowed_actions"]) == (state, actions)


def test_list_of_versions_is_paged_without_descriptors(acme: Maker, django_assert_max_num_queries: Any) -> None:
    first = acme.version("listed")
    for _ in range(5):
        pass_run(acme.version(package=first.package))
    with django_assert_max_num_queries(6):
        answer = acme("GET", f"/{first.package_id}/versions?limit=3").json()
    assert answer["meta"]["pagination"]["total"] == 6
    assert [item["version"] for item in answer["data"]] == ["1.0.5", "1.0.4", "1.0.3"]
    assert "capabilities" not in answer["data"][0]
