"""The capability descriptor: what is accepted, what is refused and what it becomes."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiffinity.lib.schemas import check_schema, compiled
from runtime.descriptor_fields import signature_header_problem
from runtime.descriptors import (
    answer_schema,
    check_descriptor,
    input_schema,
    least_tier,
    normalise_descriptor,
    output_schema,
)
from runtime.risk_tiers import RISK_TIERS, highest_tier
from runtime.surface_guidance import COMPONENT_ATTENTION, COMPONENTS, INTENTS, PLACEMENTS
from tests.runtime.documents import ACTION, HISTORY, REALTIME, STATE, TEMPLATES, WEBHOOK

PRINTED = TEMPLATES


def faults_of(descriptor: Any) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in check_descriptor(descriptor)]


def without(descriptor: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in descriptor.items() if name not in names}


@pytest.mark.parametrize("body", PRINTED, ids=lambda body: body["mode"])
def test_the_printed_bodies_are_accepted_as_they_are(body):
    assert check_descriptor(body) == []
    normalised = normalise_descriptor(body)
    assert {name: normalised[name] for name in body} == body


def test_camel_case_names_are_taken_and_come_out_in_snake_case():
    body = {
        **without(STATE, "refresh_interval_seconds", "surface_guidance"),
        "refreshIntervalSeconds": 900,
        "riskLevel": "high_trust",
        "surfaceGuidance": {"intent": "inform", "preferredComponents": ["card"]},
        "schema": {"type": "object", "properties": {"temperatureC": {"type": "number"}}},
        "examples": [{"params": {"placeName": "Bern"}, "data": {"temperatureC": 3}}],
    }
    assert check_descriptor(body) == []
    normalised = normalise_descriptor(body)
    assert normalised["risk_level"] == "high_trust"
    assert normalised["refresh_interval_seconds"] == 900
    assert normalised["surface_guidance"] == {
        "intent": "inform",
        "placement": [],
        "preferred_components": ["card"],
    }
    assert normalised["schema"] == body["schema"]
    assert normalised["examples"] == body["examples"]


@pytest.mark.parametrize(
    ("body", "names", "defaults"),
    [
        (STATE, ["refresh_interval_seconds"], {"refresh_interval_seconds": 900, "risk_level": "data_only"}),
        (
            ACTION,
            ["confirmation_required", "risk_level"],
            {"confirmation_required": True, "risk_level": "action_capable"},
        ),
        (HISTORY, ["max_items_per_page", "cursor_field"], {"max_items_per_page": 50, "risk_level": "data_only"}),
        (
            REALTIME,
            ["protocol", "heartbeat_interval_seconds"],
            {"protocol": "sse", "heartbeat_interval_seconds": 30},
        ),
        (WEBHOOK, ["signature_header"], {"signature_header": "X-Aiffinity-Signature"}),
    ],
)
def test_defaults_of_each_mode(body, names, defaults):
    bare = without(body, *names, "surface_guidance")
    assert check_descriptor(bare) == []
    normalised = normalise_descriptor(bare)
    assert {name: normalised[name] for name in defaults} == defaults
    assert normalised["permissions"] == []
    assert normalised["examples"] == []
    assert normalised["surface_guidance"] == {"placement": [], "preferred_components": []}


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (without(STATE, "name"), "name", "required"),
    (without(STATE, "description"), "description", "required"),
    (without(STATE, "schema"), "schema", "required"),
    (without(STATE, "mode"), "mode", "required"),
    (without(WEBHOOK, "events"), "events", "required"),
    ({**STATE, "name": "a"}, "name", "invalid"),
    ({**STATE, "name": "Current"}, "name", "invalid"),
    ({**STATE, "name": "a" * 65}, "name", "invalid"),
    ({**STATE, "name": "weather\n"}, "name", "invalid"),
    ({**STATE, "name": 5}, "name", "type"),
    ({**STATE, "mode": "push"}, "mode", "unknown_choice"),
    ({**STATE, "mode": ["state"]}, "mode", "type"),
    ({**STATE, "description": " "}, "description", "empty"),
    ({**STATE, "description": "x" * 281}, "description", "too_long"),
    ({**STATE, "description": "<b>x</b>"}, "description", "executable_payload"),
    ({**STATE, "refresh_interval_seconds": 59}, "refresh_interval_seconds", "out_of_range"),
    ({**STATE, "refresh_interval_seconds": 86_401}, "refresh_interval_seconds", "out_of_range"),
    ({**STATE, "refresh_interval_seconds": True}, "refresh_interval_seconds", "type"),
    ({**STATE, "refresh_interval_seconds": 60.5}, "refresh_interval_seconds", "type"),
    ({**STATE, "refresh_interval_seconds": "900"}, "refresh_interval_seconds", "type"),
    ({**STATE, "refreshIntervalSeconds": 900}, "refresh_interval_seconds", "duplicate"),
    ({**STATE, "confirmation_required": True}, "confirmation_required", "wrong_mode"),
    ({**STATE, "confirmationRequired": True}, "confirmation_required", "wrong_mode"),
    ({**REALTIME, "cursor_field": "id"}, "cursor_field", "wrong_mode"),
    ({**STATE, "risk_level": "low"}, "risk_level", "unknown_choice"),
    ({**STATE, "permissions": "weather:read"}, "permissions", "type"),
    ({**STATE, "permissions": ["a b"]}, "permissions[0]", "invalid"),
    ({**STATE, "permissions": ["a", "a"]}, "permissions[1]", "duplicate"),
    ({**STATE, "surface_guidance": []}, "surface_guidance", "type"),
    ({**STATE, "surface_guidance": {"intent": "sell"}}, "surface_guidance.intent", "unknown_choice"),
    ({**STATE, "surface_guidance": {"placement": ["shop"]}}, "surface_guidance.placement[0]", "unknown_choice"),
    ({**STATE, "surface_guidance": {"placement": "search"}}, "surface_guidance.placement", "type"),
    ({**STATE, "surface_guidance": {"html": "x"}}, "surface_guidance.html", "unknown_field"),
    ({**STATE, "examples": {}}, "examples", "type"),
    ({**STATE, "examples": [1]}, "examples[0]", "type"),
    ({**STATE, "examples": [{"params": [], "data": 1}]}, "examples[0].params", "type"),
    ({**STATE, "examples": [{"params": {}}]}, "examples[0].data", "required"),
    ({**STATE, "examples": [{"data": 1, "note": 1}]}, "examples[0].note", "unknown_field"),
    ({**ACTION, "confirmation_required": "yes"}, "confirmation_required", "type"),
    ({**ACTION, "schema": STATE["schema"]}, "schema", "required"),
    ({**ACTION, "schema": {"output": {}}}, "schema.input", "required"),
    ({**ACTION, "schema": {"input": {"type": "string"}}}, "schema.input.type", "not_an_object"),
    ({**STATE, "schema": {"input": {}}}, "schema.output", "required"),
    ({**STATE, "schema": {"output": {}, "type": "object"}}, "schema.type", "unknown_field"),
    ({**STATE, "schema": True}, "schema", "type"),
    ({**STATE, "schema": {"properties": {"a": {"type": "text"}}}}, "schema.properties.a.type", "type"),
    ({**STATE, "schema": {"allOf": [{"minLength": -1}]}}, "schema.allOf[0].minLength", "minimum"),
    (
        {**STATE, "schema": {"properties": {"a b": {"pattern": "("}}}},
        'schema.properties["a b"].pattern',
        "unsupported_pattern",
    ),
    ({**ACTION, "schema": {"input": {"$ref": "http://x.example"}}}, "schema.input.$ref", "remote_reference"),
    ({**STATE, "schema": {"title": "${x}"}}, "schema.title", "executable_payload"),
    ({**STATE, "schema": {"properties": {"<b>": {}}}}, 'schema.properties["<b>"]', "executable_payload"),
    ({**STATE, "schema": {"enum": ["fine", "<b>"]}}, "schema.enum[1]", "executable_payload"),
    ({**HISTORY, "max_items_per_page": 101}, "max_items_per_page", "out_of_range"),
    ({**HISTORY, "cursor_field": ""}, "cursor_field", "empty"),
    ({**REALTIME, "protocol": "grpc"}, "protocol", "unknown_choice"),
    ({**REALTIME, "heartbeat_interval_seconds": 4}, "heartbeat_interval_seconds", "out_of_range"),
    ({**WEBHOOK, "events": []}, "events", "out_of_range"),
    ({**WEBHOOK, "events": ["Created"]}, "events[0]", "invalid"),
    ({**WEBHOOK, "events": ["a", "a"]}, "events[1]", "duplicate"),
    ({**WEBHOOK, "signature_header": "Content-Length"}, "signature_header", "invalid"),
    ({**WEBHOOK, "signature_header": None}, "signature_header", "type"),
]


@pytest.mark.parametrize(("descriptor", "field", "code"), REFUSED)
def test_a_bad_field_is_refused_by_name(descriptor, field, code):
    assert faults_of(descriptor) == [(field, code)]


def test_an_unknown_field_gets_the_nearest_known_name():
    (fault,) = check_descriptor({**STATE, "refresh_interval": 900})
    assert (fault.field, fault.code) == ("refresh_interval", "unknown_field")
    assert fault.message == "is unknown. Did you mean refresh_interval_seconds?"


def test_a_field_of_another_mode_says_where_it_belongs():
    (fault,) = check_descriptor({**STATE, "events": ["created"]})
    assert fault.message == "belongs to mode webhook, this capability has mode state. Leave it out."


def test_faults_inside_schemas_carry_their_json_pointer():
    schema = {"input": {"type": "object", "properties": {"a/b": {"pattern": "(?=x)"}}}}
    (fault,) = check_descriptor({**ACTION, "schema": schema})
    assert fault.pointer == "/input/properties/a~1b/pattern"
    assert fault.message.startswith("/input/properties/a~1b/pattern: This pattern can't run in linear time.")
    assert all(fault.pointer is None for fault in check_descriptor({**STATE, "name": "A", "description": ""}))


def test_all_faults_are_told_at_once():
    body = {"mode": "history", "schema": {"type": "text"}, "max_items_per_page": 0, "extra": 1}
    assert set(faults_of(body)) == {
        ("name", "required"),
        ("description", "required"),
        ("extra", "unknown_field"),
        ("max_items_per_page", "out_of_range"),
        ("schema.type", "type"),
    }


@pytest.mark.parametrize(
    "name", ["X-Aiffinity-Signature", "x-aiffinity-signature", "X-Signature-256", "Stripe-Signature", "X"]
)
def test_good_names_of_signature_headers(name):
    assert signature_header_problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "TE",
        "Trailer",
        "Upgrade",
        "Keep-Alive",
        "Proxy-Authorization",
        "Authorization",
        "Cookie",
        "X-Forwarded-For",
        "X-Real-IP",
        "Forwarded",
        "X_Signature",
        "X Signature",
        "X:Signature",
        "X-Sig\r\nHost",
        "X-Sig\n",
        "-X",
        "X-",
        "X-Aiffinity-User-Id",
        "webhook-id",
        "Sec-Fetch-Site",
        "X" * 65,
        "Ü-Signature",
        "X-HTTP-Method-Override",
        "Idempotency-Key",
        "If-Match",
    ],
)
def test_bad_names_of_signature_headers(name):
    assert signature_header_problem(name)


def test_schemas_of_each_mode():
    state, action, history = (normalise_descriptor(body) for body in (STATE, ACTION, HISTORY))
    assert input_schema(state) == {"type": "object"}
    assert output_schema(state) == answer_schema(state) == STATE["schema"]
    assert input_schema(action) == ACTION["schema"]["input"]
    assert answer_schema(action) == ACTION["schema"]["output"]
    assert output_schema(history) == HISTORY["schema"]
    assert compiled(answer_schema(history)).is_valid([{"id": "1", "amount": 2}])
    assert not compiled(answer_schema(history)).is_valid({"id": "1"})
    assert not compiled(answer_schema(history)).is_valid([{"id": 1}])


def test_input_and_output_are_taken_in_every_mode():
    schema = {"input": {"type": "object", "required": ["city"]}, "output": {"type": "object"}}
    for body in PRINTED:
        assert check_descriptor({**body, "schema": schema}) == []
        assert input_schema(normalise_descriptor({**body, "schema": schema})) == schema["input"]


def test_an_action_without_output_admits_any_answer():
    body = {**ACTION, "schema": {"input": {"type": "object"}}}
    assert check_descriptor(body) == []
    assert answer_schema(normalise_descriptor(body)) == {}


def marked(level: str, **fields: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"a": {"type": "string", "x-sensitivity": level}}}
    return normalise_descriptor({**STATE, "schema": schema, **fields})


@pytest.mark.parametrize(
    ("descriptor", "tier"),
    [
        (normalise_descriptor(STATE), "data_only"),
        (normalise_descriptor(HISTORY), "data_only"),
        (normalise_descriptor(ACTION), "action_capable"),
        (normalise_descriptor({**ACTION, "risk_level": "data_only"}), "action_capable"),
        (marked("none"), "data_only"),
        (marked("personal"), "data_only"),
        (marked("financial"), "high_trust"),
        (marked("health"), "high_trust"),
        (marked("credential"), "high_trust"),
        (marked("health", risk_level="strategic_surface"), "strategic_surface"),
        (
            normalise_descriptor({**ACTION, "schema": {"input": {"type": "object", "x-sensitivity": "credential"}}}),
            "high_trust",
        ),
    ],
)
def test_the_least_tier_of_a_capability(descriptor, tier):
    assert least_tier(descriptor) == tier


def test_tiers_are_ordered():
    assert RISK_TIERS == ("data_only", "action_capable", "high_trust", "strategic_surface")
    assert highest_tier(["high_trust", "data_only", "action_capable"]) == "high_trust"
    assert highest_tier([]) == "data_only"


def test_the_sets_of_surface_guidance():
    assert len(INTENTS) == 7
    assert len(PLACEMENTS) == 6
    assert dict(COMPONENT_ATTENTION) == {
        "stat_row": 1,
        "sparkline": 2,
        "list": 2,
        "table": 3,
        "timeline": 2,
        "progress": 1,
        "card": 2,
        "chart": 3,
    }
    body = {"intent": "remind", "placement": list(PLACEMENTS), "preferred_components": list(COMPONENTS)}
    assert check_descriptor({**STATE, "surface_guidance": body}) == []


def test_checking_and_normalising_change_nothing_that_was_given():
    given_body = copy.deepcopy(ACTION)
    check_descriptor(given_body)
    normalised = normalise_descriptor(given_body)
    normalised["schema"]["input"]["properties"]["title"]["maxLength"] = 1
    assert given_body == ACTION


@pytest.mark.parametrize("value", [None, [], "current_weather", 5, {}])
def test_what_is_no_descriptor_is_refused(value):
    assert check_descriptor(value)


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "input", "output", "params"]) | st.text(max_size=3), inner, max_size=3
        )
    ),
    max_leaves=8,
)
BROKEN = st.fixed_dictionaries(
    {},
    optional={name: JSON_VALUES for body in PRINTED for name in body}
    | {"riskLevel": JSON_VALUES, "examples": JSON_VALUES},
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PRINTED), BROKEN)
def test_checking_never_raises(body, broken):
    for fault in check_descriptor({**body, **broken}):
        assert fault.code
        assert fault.message


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(PRINTED),
    st.fixed_dictionaries(
        {},
        optional={
            "riskLevel": st.sampled_from(RISK_TIERS),
            "permissions": st.lists(st.sampled_from(["a:read", "b:write"]), unique=True),
            "surfaceGuidance": st.fixed_dictionaries({}, optional={"intent": st.sampled_from(INTENTS)}),
            "examples": st.lists(st.builds(lambda data: {"params": {}, "data": data}, st.integers()), max_size=2),
        },
    ),
)
def test_normalising_twice_changes_nothing(body, extra):
    descriptor = {**without(body, "risk_level", "surface_guidance"), **extra}
    assert check_descriptor(descriptor) == []
    once = normalise_descriptor(descriptor)
    assert check_descriptor(once) == []
    assert normalise_descriptor(once) == once
    assert check_schema(input_schema(once)) == check_schema(answer_schema(once)) == []
