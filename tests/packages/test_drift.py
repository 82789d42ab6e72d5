"""The drift report: what breaks, widens, narrows or is compatible, for both sides of a schema."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packages.drift import Level, compare
from runtime.descriptors import normalise_descriptor
from tests.runtime import documents

DOCUMENTED = [normalise_descriptor(body) for body in documents.TEMPLATES]


def state(schema: Any, **fields: Any) -> dict[str, Any]:
    body = {"name": "weather", "mode": "state", "description": "The weather of a place", "schema": schema}
    return normalise_descriptor({**body, **fields})


def output(schema: dict[str, Any]) -> dict[str, Any]:
    return state(schema)


def taking(schema: dict[str, Any]) -> dict[str, Any]:
    return state({"input": schema, "output": {"type": "object", "properties": {"a": {"type": "string"}}}})


def obj(required: list[str] | None = None, extra: Any = None, **properties: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    if extra is not None:
        schema["additionalProperties"] = extra
    return schema


TEXT, NUMBER, INTEGER = {"type": "string"}, {"type": "number"}, {"type": "integer"}

CASES = [
    # The answer's side: what was promised may not go missing.
    ("property removed", output(obj(a=TEXT, b=TEXT)), output(obj(a=TEXT)), "property_removed", "breaking"),
    ("property added", output(obj(a=TEXT)), output(obj(a=TEXT, b=TEXT)), "property_added", "widening"),
    ("type changed", output(obj(a=TEXT)), output(obj(a=NUMBER)), "type_changed", "breaking"),
    ("type narrowed", output(obj(a=NUMBER)), output(obj(a=INTEGER)), "type_narrowed", "narrowing"),
    ("type widened", output(obj(a=INTEGER)), output(obj(a=NUMBER)), "type_changed", "breaking"),
    ("promise dropped", output(obj(["a"], a=TEXT)), output(obj(a=TEXT)), "required_dropped", "breaking"),
    ("promise added", output(obj(a=TEXT)), output(obj(["a"], a=TEXT)), "required_added", "narrowing"),
    ("enum widened", output(obj(a={"enum": [1]})), output(obj(a={"enum": [1, 2]})), "enum_widened", "widening"),
    ("enum narrowed", output(obj(a={"enum": [1, 2]})), output(obj(a={"enum": [1]})), "enum_narrowed", "narrowing"),
    ("bound", output(obj(a={**NUMBER, "maximum": 5})), output(obj(a=NUMBER)), "maximum_widened", "widening"),
    # The params' side: what was taken may not be refused.
    ("input required", taking(obj(a=TEXT)), taking(obj(["a"], a=TEXT)), "required_added", "breaking"),
    ("input optional", taking(obj(["a"], a=TEXT)), taking(obj(a=TEXT)), "required_dropped", "widening"),
    ("input enum less", taking(obj(a={"enum": [1, 2]})), taking(obj(a={"enum": [1]})), "enum_narrowed", "breaking"),
    ("input enum more", taking(obj(a={"enum": [1]})), taking(obj(a={"enum": [1, 2]})), "enum_widened", "widening"),
    ("input type wider", taking(obj(a=INTEGER)), taking(obj(a=NUMBER)), "type_widened", "widening"),
    ("input type narrower", taking(obj(a=NUMBER)), taking(obj(a=INTEGER)), "type_changed", "breaking"),
    ("input shorter", taking(obj(a=TEXT)), taking(obj(a={**TEXT, "maxLength": 5})), "maxLength_narrowed", "breaking"),
    ("input gone", taking(obj(extra=False, a=TEXT)), taking(obj(extra=False)), "property_removed", "breaking"),
    ("input still taken", taking(obj(a=TEXT)), taking(obj()), "property_removed", "compatible"),
    ("input closed", taking(obj(a=TEXT)), taking(obj(extra=False, a=TEXT)), "schema_narrowed", "breaking"),
    ("input unknown", taking(obj(a=TEXT)), taking({**obj(a=TEXT), "if": TEXT}), "if_changed", "breaking"),
    # What users consented to.
    ("permission", output(obj(a=TEXT)), state(obj(a=TEXT), permissions=["x"]), "permission_widened", "widening"),
    ("mode", output(obj(a=TEXT)), {**output(obj(a=TEXT)), "mode": "history"}, "mode_changed", "breaking"),
    (
        "sensitivity",
        output(obj(a=TEXT)),
        output(obj(a={**TEXT, "x-sensitivity": "health"})),
        "sensitivity_widened",
        "widening",
    ),
    ("description", output(obj(a=TEXT)), output(obj(a={**TEXT, "description": "A"})), None, "compatible"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "kind", "level"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_change_is_judged(before: dict[str, Any], after: dict[str, Any], kind: str | None, level: str) -> None:
    report = compare([before], [after])
    assert report.level == level, report
    if kind is not None:
        assert [change.level for change in report.changes if change.kind == kind] == [Level(level)], report


def test_capability_removed_breaks_and_added_widens() -> None:
    report = compare(DOCUMENTED[:2], DOCUMENTED[1:3])
    assert [(change.kind, change.pointer) for change in report.changes] == [
        ("capability_removed", "/capabilities/0"),
        ("capability_added", "/capabilities/1"),
    ]
    assert (report.bump, report.is_breaking, report.needs_consent) == ("major", True, False)


def test_dropped_confirmation_and_raised_risk_ask_for_consent() -> None:
    action = DOCUMENTED[1]
    for change in ({"confirmation_required": False}, {"risk_level": "high_trust"}):
        report = compare([action], [{**action, **change}])
        assert (report.needs_consent, report.is_breaking, report.bump) == (True, False, "minor")


def test_pointers_lead_to_the_place_in_the_later_version() -> None:
    later = copy.deepcopy(DOCUMENTED)
    later.reverse()
    action = next(item for item in later if item["mode"] == "action")
    action["schema"]["input"]["properties"]["priority"]["enum"].remove("low")
    [change] = compare(DOCUMENTED, later).changes
    assert change.pointer == "/capabilities/3/schema/input/properties/priority/enum"


def test_references_are_followed_and_recursion_ends() -> None:
    tree: dict[str, Any] = {
        "type": "object",
        "properties": {"value": {"$ref": "#/$defs/value"}, "children": {"type": "array", "items": {"$ref": "#"}}},
        "$defs": {"value": {"type": "string"}},
    }
    changed = copy.deepcopy(tree)
    changed["$defs"]["value"] = {"type": "number"}
    report = compare([output(tree)], [output(changed)])
    assert [change.kind for change in report.changes] == ["type_changed"]
    inlined = copy.deepcopy(tree)
    inlined["properties"]["value"] = {"type": "string"}
    assert compare([output(tree)], [output(inlined)]).level == "compatible"


def test_change_behind_a_reference_inside_an_unknown_keyword_is_not_overlooked() -> None:
    schema: dict[str, Any] = {"anyOf": [{"$ref": "#/$defs/a"}], "type": "object", "$defs": {"a": {"required": ["x"]}}}
    changed = copy.deepcopy(schema)
    changed["$defs"]["a"] = {"required": ["y"]}
    assert compare([output(schema)], [output(changed)]).is_breaking


def test_keywords_beside_a_reference_are_compared_too() -> None:
    schema: dict[str, Any] = obj(a={"$ref": "#/$defs/a", "enum": ["x", "y"]}) | {"$defs": {"a": {"type": "string"}}}
    changed = copy.deepcopy(schema)
    changed["properties"]["a"]["enum"] = ["x"]
    assert [change.kind for change in compare([taking(schema)], [taking(changed)]).changes] == ["enum_narrowed"]


SCHEMAS = st.recursive(
    st.sampled_from([TEXT, NUMBER, {"type": "boolean"}, {"enum": ["a", "b"]}, {"type": "string", "maxLength": 9}]),
    lambda inner: st.one_of(
        st.builds(lambda item: {"type": "array", "items": item}, inner),
        st.dictionaries(st.sampled_from("abcd"), inner, max_size=3).flatmap(
            lambda properties: st.builds(
                lambda required: {"type": "object", "properties": properties, "required": sorted(required)},
                st.sets(st.sampled_from(sorted(properties))) if properties else st.just(set()),
            )
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(schema=SCHEMAS)
def test_a_version_is_compatible_with_itself(schema: dict[str, Any]) -> None:
    """Reflexivity, also for an equal copy that shares nothing with the original."""
    capability = state({"input": obj(a=schema), "output": schema})
    report = compare([capability], [json.loads(json.dumps(capability))])
    assert (report.changes, report.level, report.bump) == ((), "compatible", "patch")
