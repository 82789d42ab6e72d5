"""JSON Schema at the door and in use."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiffinity.lib.schemas import (
    array_of,
    check_schema,
    compiled,
    highest_sensitivity,
    sensitivities,
    validate,
)

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 20, "x-sensitivity": "personal"},
        "pulse": {"type": "integer", "minimum": 20, "maximum": 250, "x-sensitivity": "health"},
        "mood": {"enum": ["calm", "tense"]},
        "born": {"type": "string", "format": "date"},
        "note": {"type": ["string", "null"]},
        "score": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
    },
    "required": ["name"],
    "additionalProperties": False,
}


def codes(schema: Any) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in check_schema(schema)]


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def doubling(levels: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {
        f"d{level}": {"allOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(levels)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**definitions, f"d{levels}": {"type": "integer"}}}


GOOD_SCHEMAS: list[dict[str, Any]] = [
    {},
    PERSON,
    {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://acme.example/x", "type": "object"},
    {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}},
    {"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}},
    {"patternProperties": {"^a": {"$ref": "#"}}, "additionalProperties": {"$ref": "#"}},
    {"patternProperties": {"^a": {"$ref": "#"}, "^b": {"type": "string"}}, "properties": {"b": {"$ref": "#"}}},
    {
        "type": "object",
        "required": ["next"],
        "properties": {"next": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}},
    },
    {"$ref": "#node", "$defs": {"n": {"$anchor": "node", "type": "string"}}},
    {"$dynamicRef": "#node", "$defs": {"n": {"$dynamicAnchor": "node", "type": "string"}}},
    {"properties": {"a/b": {"type": "string"}, "c": {"$ref": "#/properties/a~1b"}}},
    {"type": "string", "pattern": r"^[\p{L}\p{N} ]{1,100}$"},
    {"oneOf": [{"const": f"c{index}"} for index in range(250)]},
    {"additionalProperties": False, "properties": {"a": True}},
    nested(16),
]

REFUSED_SCHEMAS: list[tuple[Any, str, str]] = [
    (True, "", "not_an_object"),
    ([], "", "not_an_object"),
    ({"type": "text"}, "/type", "type"),
    ({"properties": {"a": {"minLength": -1}}}, "/properties/a/minLength", "minimum"),
    ({"properties": {"a": {"required": "b"}}}, "/properties/a/required", "type"),
    ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema", "unsupported_dialect"),
    ({"properties": {"a": {"$id": "https://x.example/"}}}, "/properties/a/$id", "unsupported_id"),
    ({"properties": {"a": {"$ref": "https://x.example/s.json"}}}, "/properties/a/$ref", "remote_reference"),
    ({"items": {"$ref": "file:///etc/passwd"}}, "/items/$ref", "remote_reference"),
    ({"$dynamicRef": "other.json#meta"}, "/$dynamicRef", "remote_reference"),
    ({"$ref": "#/$defs/missing"}, "/$ref", "unresolvable_reference"),
    ({"$ref": "#missing"}, "/$ref", "unresolvable_reference"),
    ({"$ref": "#/default", "default": {}}, "/$ref", "unresolvable_reference"),
    ({"$ref": "#"}, "", "endless_recursion"),
    ({"not": {"$ref": "#"}}, "", "endless_recursion"),
    ({"if": {"$ref": "#"}}, "", "endless_recursion"),
    ({"dependentSchemas": {"a": {"$ref": "#"}}}, "", "endless_recursion"),
    ({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}}, "", "endless_recursion"),
    ({"type": "array", "minItems": 1, "items": {"$ref": "#"}}, "", "endless_recursion"),
    ({"type": "array", "contains": {"$ref": "#"}}, "", "endless_recursion"),
    (doubling(12), "/$defs/d3", "too_costly"),
    ({"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}, "/properties/a", "too_costly"),
    ({"items": {"$ref": "#"}, "contains": {"$ref": "#"}, "minContains": 0}, "/items", "too_costly"),
    ({"patternProperties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}}, "", "too_costly"),
    (
        {"allOf": [{"patternProperties": {"a": {"$ref": "#"}}}, {"additionalProperties": {"$ref": "#"}}]},
        "",
        "too_costly",
    ),
    (nested(17), "/properties/a" * 17, "too_deep"),
    ({"enum": ["x" * 65_536]}, "", "too_large"),
    ({"properties": {f"p{index}": {} for index in range(501)}}, "", "too_many_properties"),
    ({"pattern": "(?=a)"}, "/pattern", "unsupported_pattern"),
    ({"pattern": r"(a)\1"}, "/pattern", "unsupported_pattern"),
    ({"pattern": "(a{1,1000}){1,1000}"}, "/pattern", "unsupported_pattern"),
    ({"pattern": "("}, "/pattern", "unsupported_pattern"),
    ({"patternProperties": {"(?!x)/": {}}}, "/patternProperties/(?!x)~1", "unsupported_pattern"),
    ({"anyOf": [{"pattern": f"a{index}"} for index in range(101)]}, "", "too_many_patterns"),
    ({"items": {"x-sensitivity": "secret"}}, "/items/x-sensitivity", "unknown_sensitivity"),
    ({"default": float("nan")}, "", "not_json"),
    ({"default": "\ud800"}, "", "not_json"),
]


@pytest.mark.parametrize("schema", GOOD_SCHEMAS)
def test_a_good_schema_has_no_faults(schema):
    assert check_schema(schema) == []


@pytest.mark.parametrize(("schema", "pointer", "code"), REFUSED_SCHEMAS)
def test_a_bad_schema_is_refused_with_its_place(schema, pointer, code):
    found = codes(schema)
    if code == "too_costly":
        assert [fault_code for _, fault_code in found] == ["too_costly"]
    else:
        assert (pointer, code) in found


def test_deep_json_outside_of_subschemas_is_refused():
    value: Any = 1
    for _ in range(5_000):
        value = [value]
    assert codes({"default": value}) == [("", "too_deep")]


def test_all_faults_are_told_at_once():
    schema = {"type": "text", "properties": {"a": {"pattern": "(?=a)", "$ref": "http://x"}}}
    assert codes(schema) == [
        ("/properties/a/$ref", "remote_reference"),
        ("/properties/a/pattern", "unsupported_pattern"),
        ("/type", "type"),
    ]


@pytest.mark.parametrize(
    "schema",
    [
        {
            "patternProperties": {f"^a{n}": {} for n in range(99)},
            "properties": {f"a{n}": {"$ref": "#"} for n in range(400)},
        },
        {
            "$defs": {
                f"d{n}": {"required": ["a"], "properties": {"a": {"$ref": f"#/$defs/d{n + 1}"}}} for n in range(490)
            }
        },
        {"prefixItems": [True] * 12_000},
        {"anyOf": [{"pattern": r"\p{L}{60}"} for _ in range(100)]},
        {"allOf": [{"$ref": "#/$defs/a"}] * 3_000, "$defs": {"a": {}}},
    ],
    ids=["crossed names", "long chain", "wide tuple", "fat patterns", "many branches"],
)
def test_a_hostile_schema_is_judged_quickly(schema):
    started = time.monotonic()
    check_schema(schema)
    assert time.monotonic() - started < 5


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "properties",
                    "$ref",
                    "$defs",
                    "items",
                    "allOf",
                    "enum",
                    "pattern",
                    "required",
                    "$anchor",
                    "minItems",
                    "prefixItems",
                    "patternProperties",
                    "x-sensitivity",
                    "not",
                    "$schema",
                    "contains",
                ]
            )
            | st.text(max_size=3),
            inner | st.sampled_from(["#", "#/items", "object", "^a"]),
            max_size=4,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=300, deadline=None)
@given(JSON_VALUES)
def test_checking_never_raises(value):
    for fault in check_schema(value):
        assert fault.message
        assert fault.code


def test_every_fault_of_a_value_is_told_with_its_place():
    value = {"pulse": 3, "mood": "odd", "born": "soon", "note": 5, "score": 2.5, "extra": 1}
    assert {(fault.pointer, fault.code, fault.message) for fault in validate(PERSON, value)} == {
        ("/name", "required", "is required."),
        ("/pulse", "minimum", "must be at least 20."),
        ("/mood", "enum", "must be one of calm, tense."),
        ("/born", "format", "must have the format date."),
        ("/note", "type", "must be null or a string."),
        ("/score", "one_of", "must be an integer or a string."),
        ("/extra", "additional_properties", "is not a known field here."),
    }


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"minItems": 2}, [], "must have at least 2 items."),
        ({"maxItems": 1}, [1, 2], "must have at most 1 items."),
        ({"minLength": 2}, "a", "must have at least 2 characters."),
        ({"maxLength": 1}, "abc", "must have at most 1 characters."),
        ({"minProperties": 1}, {}, "must have at least 1 fields."),
        ({"maxProperties": 0}, {"a": 1}, "must have at most 0 fields."),
        ({"exclusiveMinimum": 1}, 1, "must be greater than 1."),
        ({"exclusiveMaximum": 1}, 1, "must be less than 1."),
        ({"maximum": 1}, 2, "must be at most 1."),
        ({"multipleOf": 2}, 3, "must be a multiple of 2."),
        ({"const": None}, 3, "must be null."),
        ({"not": {}}, 3, "must not match the schema under not."),
        ({"pattern": "^a$"}, "b", "must match the pattern ^a$."),
        ({"uniqueItems": True}, [1, 1], "must not have the same item twice."),
        ({"contains": {"type": "string"}}, [1], "must contain as many fitting items as the schema asks for."),
        ({"propertyNames": {"maxLength": 1}}, {"abc": 1}, "has a field whose name isn't allowed."),
        ({"items": False}, [1], "must not be here."),
        ({"prefixItems": [True], "unevaluatedItems": False}, [1, 2], "has more items than the schema knows."),
        ({"oneOf": [{}, {}]}, 1, "must match exactly one of the forms that the schema allows."),
        ({"anyOf": [{"minimum": 3}, {"type": "null"}]}, 1, "must match one of the forms that the schema allows."),
    ],
)
def test_messages_are_plain(schema, value, message):
    assert [fault.message for fault in validate(schema, value)] == [message]


def test_messages_never_repeat_a_value():
    secret = "s3cr3t-value"
    schema = {
        "properties": {
            "a": {"type": "integer"},
            "b": {"enum": ["x"]},
            "c": {"pattern": "^x$"},
            "d": {"format": "email"},
            "e": {"anyOf": [{"type": "null"}, {"minLength": 99}]},
            "f": {"const": 1},
            "g": {"not": {}},
        }
    }
    faults = validate(schema, dict.fromkeys("abcdefg", secret))
    assert len(faults) == 7
    assert all(secret not in fault.message for fault in faults)


def test_faults_are_capped():
    assert len(validate({"items": {"type": "string"}}, [1] * 100)) == 20
    assert len(validate({"items": {"type": "string"}}, [1] * 100, max_faults=3)) == 3


def test_a_large_wrong_value_is_refused_quickly_and_with_its_first_place():
    started = time.monotonic()
    assert [fault.pointer for fault in validate({"items": {"type": "string"}}, [1] * 200_000)] == ["/0"]
    branches = {"items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}
    assert [fault.code for fault in validate(branches, [1] * 200_000)] == ["invalid"]
    assert time.monotonic() - started < 2


def test_a_value_that_would_take_too_long_is_refused():
    schema = {"items": {"anyOf": [{"const": index} for index in range(500)]}}
    assert check_schema(schema) == []
    assert [fault.code for fault in validate(schema, [499] * 100_000)] == ["too_costly"]


def test_a_value_that_is_not_json_is_refused():
    assert [fault.code for fault in validate({"type": "string"}, "\ud800")] == ["not_json"]
    assert [fault.code for fault in validate({"type": "object"}, {1: 2})] == ["not_json"]


def test_equal_schemas_are_compiled_once():
    first = compiled({"type": "object", "required": ["a"]})
    assert compiled({"required": ["a"], "type": "object"}) is first


@pytest.mark.parametrize(
    "schema", [{"$ref": "http://127.0.0.1:9/x"}, {"$ref": "#"}, {"pattern": "(?=a)"}, doubling(14)]
)
def test_compiling_a_refused_schema_raises(schema):
    with pytest.raises(ValueError, match="check_schema refuses"):
        compiled(schema)


def test_marks_are_found_wherever_they_stand():
    schema = {
        "properties": {"a/b": {"x-sensitivity": "personal"}, "c": {"items": {"$ref": "#/$defs/d"}}},
        "$defs": {"d": {"x-sensitivity": "financial"}},
        "x-sensitivity": "none",
    }
    assert sensitivities(schema) == {"": "none", "/properties/a~1b": "personal", "/$defs/d": "financial"}
    assert highest_sensitivity(schema) == "financial"
    assert highest_sensitivity({"type": "object"}) == "none"


def test_an_array_of_items_keeps_the_references_of_its_item():
    item: dict[str, Any] = {
        "type": "object",
        "properties": {"parent": {"$ref": "#"}, "tag": {"$ref": "#/$defs/tag"}, "mark": {"$ref": "#mark"}},
        "$defs": {"tag": {"type": "string"}, "m": {"$anchor": "mark", "type": "integer"}},
        "default": {"$ref": "#/not/a/reference"},
    }
    schema = array_of(item)
    assert check_schema(schema) == []
    assert schema["$defs"]["item"]["default"] == {"$ref": "#/not/a/reference"}
    assert validate(schema, [{"parent": {"tag": "x"}, "mark": 1}]) == []
    assert [fault.pointer for fault in validate(schema, [{"parent": {"tag": 5}}])] == ["/0/parent/tag"]
    assert item["properties"]["parent"] == {"$ref": "#"}
