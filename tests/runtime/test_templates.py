"""Capability templates over HTTP: the documents' bodies, upserts, refusals, quotas and holders."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from aiffinity.lib.errors import Conflict
from runtime import templates
from runtime.models import CapabilityTemplate
from runtime.templates import create_template, ensure_template, require_descriptor
from tests.runtime.conftest import error_of
from tests.runtime.documents import ACTION, HISTORY, STATE, TEMPLATES

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("body", TEMPLATES, ids=lambda body: body["mode"])
def test_the_documents_bodies_are_taken_as_printed(registered, body):
    created = registered("POST", "/capabilities", body)
    assert created.status_code == 201
    answer = created.json()["data"]
    assert answer["id"].startswith("cap_")
    assert answer["app_id"] == registered.app_id
    given = {name: value for name, value in body.items() if name != "surface_guidance"}
    assert {name: answer[name] for name in given} == given
    assert body.get("surface_guidance", {}).items() <= answer["surface_guidance"].items()
    assert registered("GET", f"/capabilities/{body['name']}").json()["data"] == answer
    assert registered("GET").json()["data"]["capabilities"] == [answer]
    again = registered("POST", "/capabilities", body)
    assert (again.status_code, error_of(again)["code"]) == (409, "CONFLICT")


@pytest.mark.parametrize("body", TEMPLATES, ids=lambda body: body["mode"])
def test_an_upsert_makes_and_then_replaces(registered, body):
    made = registered("PUT", "/capability-template", body)
    replaced = registered("PUT", "/capability-template", {**body, "description": "Changed"})
    assert (made.status_code, replaced.status_code) == (201, 200)
    assert replaced.json()["data"]["id"] == made.json()["data"]["id"]
    assert replaced.json()["data"]["description"] == "Changed"
    assert CapabilityTemplate.objects.count() == 1


def test_camel_case_is_taken_but_never_inside_schemas(registered):
    body = {
        "name": "current_weather",
        "mode": "state",
        "description": "Weather",
        "refreshIntervalSeconds": 600,
        "schema": {"type": "object", "properties": {"temperatureC": {"type": "number"}}},
        "surfaceGuidance": {"intent": "inform", "preferredComponents": ["card"]},
    }
    answer = registered("POST", "/capabilities", body).json()["data"]
    assert answer["refresh_interval_seconds"] == 600
    assert answer["schema"] == body["schema"]
    assert answer["surface_guidance"]["preferred_components"] == ["card"]


def test_a_number_beyond_64_bits_is_answered_as_it_came(registered):
    body = {**STATE, "examples": [{"data": {"distance": 1e30, "others": [-1e300, 5]}}]}
    assert registered("POST", "/capabilities", body).status_code == 201
    # The database gives 1e30 back as an integer of 31 digits.
    kept = registered("GET", f"/capabilities/{STATE['name']}")
    assert kept.status_code == 200
    assert kept.json()["data"]["examples"] == body["examples"]
    assert registered("GET").json()["data"]["capabilities"][0]["examples"] == body["examples"]


def test_a_patch_changes_the_given_fields_in_either_casing(registered):
    before = registered("POST", "/capabilities", STATE).json()["data"]
    response = registered("PATCH", "/capabilities/current_weather", {"refreshIntervalSeconds": 60})
    after = response.json()["data"]
    assert response.status_code == 200
    changed = {name for name in before if before[name] != after[name]} - {"updated_at"}
    assert changed == {"refresh_interval_seconds"}
    same = registered("PATCH", "/capabilities/current_weather", {"name": "current_weather"})
    assert same.status_code == 200
    renamed = registered("PATCH", "/capabilities/current_weather", {"name": "other"})
    assert error_of(renamed)["details"][0]["field"] == "name"
    wrong = registered("PATCH", "/capabilities/current_weather", {"refresh_interval_seconds": 59})
    assert error_of(wrong)["details"][0]["field"] == "refresh_interval_seconds"
    assert registered("PATCH", "/capabilities/current_weather", ["x"]).status_code == 400
    assert registered("PATCH", "/capabilities/nothing", {}).status_code == 404


@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"name": "Current Weather"}, 400, "VALIDATION_ERROR", "name"),
        ({"mode": "stream"}, 400, "VALIDATION_ERROR", "mode"),
        ({"refresh_interval_seconds": 30}, 400, "VALIDATION_ERROR", "refresh_interval_seconds"),
        ({"protocol": "sse"}, 400, "VALIDATION_ERROR", "protocol"),
        ({"refreshIntervall": 900}, 400, "VALIDATION_ERROR", "refreshIntervall"),
        ({"surface_guidance": {"intent": "shout"}}, 400, "VALIDATION_ERROR", "surface_guidance.intent"),
        (
            {"schema": {"type": "object", "properties": {"a": {"type": "strin"}}}},
            400,
            "INVALID_SCHEMA",
            "schema.properties.a.type",
        ),
        ({"schema": {"$ref": "https://evil.example.com/s.json"}}, 400, "INVALID_SCHEMA", "schema.$ref"),
        ({"description": "<script>alert(1)</script>"}, 422, "POLICY_VIOLATION", "description"),
    ],
)
def test_a_fault_is_named_and_nothing_is_made(registered, changes, status, code, field):
    for method, path in (("POST", "/capabilities"), ("PUT", "/capability-template")):
        response = registered(method, path, {**STATE, **changes})
        assert (response.status_code, error_of(response)["code"]) == (status, code)
        assert error_of(response)["details"][0]["field"] == field
    assert not CapabilityTemplate.objects.exists()


def test_a_schema_fault_comes_with_its_json_pointer(registered):
    schema = {"type": "object", "properties": {"a": {"pattern": "(a)\\1"}}}
    error = error_of(registered("POST", "/capabilities", {**STATE, "schema": schema}))
    assert error["code"] == "INVALID_SCHEMA"
    assert "/properties/a/pattern" in error["message"]


@pytest.mark.parametrize("body", [[], b"null", {}, "x", 7])
def test_a_body_that_is_no_object_is_refused(registered, body):
    response = registered("POST", "/capabilities", body)
    assert (response.status_code, error_of(response)["code"]) == (400, "VALIDATION_ERROR")


def test_a_template_is_deleted_unless_something_holds_it(registered, monkeypatch):
    registered("POST", "/capabilities", STATE)
    monkeypatch.setattr(templates, "holders", [lambda template: f"version 1.0.0 of {template.name}"])
    refused = registered("DELETE", "/capabilities/current_weather")
    assert (refused.status_code, error_of(refused)["code"]) == (409, "CONFLICT")
    assert "version 1.0.0 of current_weather" in error_of(refused)["message"]
    monkeypatch.setattr(templates, "holders", [lambda _: None])
    deleted = registered("DELETE", "/capabilities/current_weather")
    assert (deleted.status_code, deleted.json()["data"]["name"]) == (200, "current_weather")
    assert registered("DELETE", "/capabilities/current_weather").status_code == 404


def test_an_app_has_at_most_a_hundred_templates(registered):
    row = registered.runtime_app
    descriptor = require_descriptor(HISTORY)
    CapabilityTemplate.objects.bulk_create(
        CapabilityTemplate(
            runtime_app=row, name=f"c_{number}", mode="history", descriptor={**descriptor, "name": f"c_{number}"}
        )
        for number in range(100)
    )
    for method, path in (("POST", "/capabilities"), ("PUT", "/capability-template")):
        response = registered(method, path, STATE)
        assert (response.status_code, error_of(response)["code"]) == (409, "QUOTA_EXCEEDED")
    page = registered("GET", "/capabilities?limit=1").json()
    assert page["meta"]["pagination"]["total"] == 100


def test_ensuring_a_template_leaves_one_that_exists_as_it_is(registered):
    row = registered.runtime_app
    first = ensure_template(row, require_descriptor(ACTION))
    second = ensure_template(row, require_descriptor({**ACTION, "description": "Another"}))
    assert first.pk == second.pk
    assert second.descriptor["description"] == ACTION["description"]


@pytest.mark.django_db(transaction=True)
def test_of_many_that_make_one_name_one_succeeds(registered):
    row, descriptor = registered.runtime_app, require_descriptor(STATE)

    def attempt(_):
        try:
            create_template(row, descriptor, actor="test")
        except Conflict:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(12))) == 1
