"""Examples made from a schema: small, valid, the same every time; and what judging a value costs."""

import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiffinity.lib.schemas import (
    ExampleError,
    check_schema,
    compiled,
    example_for,
    validate,
)
from aiffinity.lib.schemas.pattern_samples import SampleError, sample_for_pattern
from tests.lib.test_schemas import PERSON, nested


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (PERSON, {"name": "text"}),
        ({"examples": [{"a": 1}], "type": "object"}, {"a": 1}),
        ({"examples": ["wrong"], "type": "integer", "default": 7}, 7),
        ({"type": "integer", "minimum": 50, "multipleOf": 7}, 56),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001}, 0.0005),
        ({"type": "string", "format": "uri", "minLength": 24}, "https://example.com/aaaa"),
        ({"type": "string", "pattern": r"^[A-Z]{3}-\d{2,4}(x|y)?$"}, "AAA-00"),
        ({"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 3, "uniqueItems": True}, [1, 2, 3]),
        ({"type": "array", "prefixItems": [{"type": "null"}], "minItems": 2, "items": {"const": 4}}, [None, 4]),
        ({"type": "array", "contains": {"const": "z"}, "minItems": 2, "items": {"type": "string"}}, ["z", "text"]),
        ({"type": "object", "minProperties": 1, "additionalProperties": {"type": "null"}}, {"field_1": None}),
        (
            {
                "type": "object",
                "required": ["a"],
                "dependentRequired": {"a": ["b"]},
                "properties": {"a": {"const": 1}, "b": {"const": 2}},
            },
            {"a": 1, "b": 2},
        ),
        (
            {
                "type": "object",
                "required": ["a"],
                "properties": {"a": {"const": 1}},
                "dependentSchemas": {"a": {"required": ["c"], "properties": {"c": {"const": 3}}}},
            },
            {"a": 1, "c": 3},
        ),
        ({"type": "number", "if": {"type": "string"}, "then": {"minLength": 6}, "else": {"minimum": 6}}, 6),
        (
            {
                "allOf": [{"$ref": "#/$defs/a"}, {"required": ["b"]}],
                "$defs": {"a": {"type": "object", "properties": {"b": {"type": "boolean"}}}},
            },
            {"b": False},
        ),
        (
            {"type": "object", "required": ["n"], "properties": {"n": {"oneOf": [{"$ref": "#"}, {"type": "null"}]}}},
            {"n": None},
        ),
        (
            {"allOf": [{"anyOf": [{"minimum": 3}, {"maximum": -3}]}, {"anyOf": [{"maximum": -9}]}], "type": "integer"},
            -9,
        ),
        ({"type": ["null", "string"], "not": {"type": "string"}}, None),
        ({"type": "string", "minLength": 3.0, "maxLength": 3.0}, "tex"),
    ],
)
def test_examples_are_small_and_the_same_every_time(schema, value):
    assert check_schema(schema) == []
    assert example_for(schema) == value
    assert validate(schema, example_for(schema)) == []


@pytest.mark.parametrize(
    "schema", [{"not": {}}, {"type": "string", "pattern": r"\bx\B.{5}^"}, {"enum": [1], "type": "string"}]
)
def test_a_schema_that_nothing_satisfies_has_no_example(schema):
    with pytest.raises(ExampleError, match="in its examples"):
        example_for(schema)


def test_an_involved_schema_gives_up_quickly():
    branches = [{"required": [f"p{index}"], "not": {}} for index in range(8)]
    schema = {"type": "object", "allOf": [{"anyOf": branches} for _ in range(8)]}
    started = time.monotonic()
    with pytest.raises(ExampleError):
        example_for(schema)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "pattern", ["(?=a)", r"\u0041", r"[a-\d]", "(" * 60 + ")" * 60, "[^\x00-\U0010ffff]", "a{", "("]
)
def test_an_unknown_pattern_is_left_to_other_candidates(pattern):
    try:
        sample_for_pattern(pattern)
    except (SampleError, ValueError):
        return


LEAVES = st.one_of(
    st.builds(
        lambda low, span: {"type": "integer", "minimum": low, "maximum": low + span},
        st.integers(-99, 99),
        st.integers(0, 9),
    ),
    st.builds(lambda low: {"type": "number", "exclusiveMinimum": low}, st.floats(-1e6, 1e6)),
    st.builds(lambda step: {"type": "integer", "multipleOf": step, "minimum": 1}, st.integers(1, 50)),
    st.builds(
        lambda low, span: {"type": "string", "minLength": low, "maxLength": low + span},
        st.integers(0, 30),
        st.integers(0, 9),
    ),
    st.builds(
        lambda name: {"type": "string", "format": name},
        st.sampled_from(["date", "date-time", "email", "uri", "uuid", "ipv4", "ipv6", "time", "hostname", "duration"]),
    ),
    st.builds(
        lambda options: {"enum": options},
        st.lists(st.integers() | st.text("ab", max_size=3) | st.none(), min_size=1, max_size=4),
    ),
    st.builds(lambda count: {"type": "string", "pattern": f"^[A-Z]{{{count}}}(-[0-9]+)?$"}, st.integers(1, 6)),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {}, {"const": "fixed"}]),
)


def objects(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    def build(properties: dict[str, Any], count: int, is_closed: bool) -> dict[str, Any]:
        required = sorted(properties)[:count]
        extra = {"additionalProperties": False} if is_closed else {}
        return {"type": "object", "properties": properties, "required": required, **extra}

    return st.builds(
        build, st.dictionaries(st.sampled_from("abcde"), inner, max_size=4), st.integers(0, 4), st.booleans()
    )


SATISFIABLE = st.recursive(
    LEAVES,
    lambda inner: (
        objects(inner)
        | st.builds(lambda item, least: {"type": "array", "items": item, "minItems": least}, inner, st.integers(0, 3))
        | st.builds(lambda branches: {"anyOf": branches}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(
            lambda part: {"$ref": "#/$defs/x", "$defs": {"x": part}} if "$defs" not in str(part) else part, LEAVES
        )
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(objects(SATISFIABLE))
def test_the_example_of_a_generated_schema_is_valid(schema):
    hoisted = _hoisted(schema)
    assert check_schema(hoisted) == []
    example = example_for(hoisted)
    assert compiled(hoisted).is_valid(example)
    assert example_for(hoisted) == example


def _hoisted(schema: dict[str, Any]) -> dict[str, Any]:
    """Move the definitions of the parts to the root, numbered, as their references expect them there."""
    definitions: dict[str, Any] = {}

    def moved(part: Any) -> Any:
        if isinstance(part, list):
            return [moved(item) for item in part]
        if not isinstance(part, dict):
            return part
        if part.get("$ref") == "#/$defs/x":
            name = f"x{len(definitions)}"
            definitions[name] = part["$defs"]["x"]
            return {"$ref": f"#/$defs/{name}"}
        return {key: moved(item) for key, item in part.items()}

    return {**moved(schema), "$defs": definitions}


def test_the_cost_of_a_chain_of_branches_grows_with_its_length():
    costs = [compiled(nested(depth)).evaluations_per_value for depth in (1, 8, 16)]
    assert costs == [1, 1, 1]
    widths = [compiled({"anyOf": [{"const": n} for n in range(width)]}).evaluations_per_value for width in (1, 5, 50)]
    assert all(left < right for left, right in pairwise(widths))
    assert widths == [2, 6, 51]
