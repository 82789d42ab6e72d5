"""Sample answers: from examples, from schemas, the same every time."""

from typing import Any

import pytest

from aiffinity.lib.schemas import validate
from packages.surface.samples import extend_series, made_sample, sample_answer, sample_params
from runtime.descriptors import answer_schema, input_schema, normalise_descriptor
from tests.runtime import documents

DOCUMENTED = [normalise_descriptor(body) for body in documents.TEMPLATES]
NUMBERS = {"type": "array", "items": {"type": "number"}}


def with_examples(body: dict[str, Any], *examples: dict[str, Any]) -> dict[str, Any]:
    return normalise_descriptor({**body, "examples": list(examples)})


@pytest.mark.parametrize("descriptor", DOCUMENTED, ids=lambda item: item["mode"])
def test_sample_is_valid_and_the_same_every_time(descriptor: dict[str, Any]) -> None:
    sample = sample_answer(descriptor)
    assert sample.origin == "made from the schema"
    assert validate(answer_schema(descriptor), sample.data) == []
    assert sample == sample_answer(descriptor)
    assert validate(input_schema(descriptor), sample_params(descriptor).data) == []


def test_sample_has_every_field() -> None:
    data = sample_answer(DOCUMENTED[0]).data
    assert list(data) == ["location", "temperature_c", "condition", "humidity_pct"]
    assert (data["location"], data["condition"]) == ("Oslo", "sunny")


def test_history_shows_seven_items() -> None:
    data = sample_answer(DOCUMENTED[2]).data
    assert [item["date"] for item in data][::6] == ["2026-01-12", "2026-01-18"]


def test_first_example_goes_before_the_schema() -> None:
    weather = {"location": "Oslo", "temperature_c": 3, "condition": "snowy"}
    sample = sample_answer(with_examples(documents.STATE, {"data": weather}))
    assert (sample.data, sample.origin) == (weather, "the provider's first example")


def test_example_of_one_item_is_an_answer_of_a_history() -> None:
    item = {"id": "txn_1", "amount": 10, "merchant": "Fjord Coffee", "date": "2026-01-30"}
    sample = sample_answer(with_examples(documents.HISTORY, {"data": item}))
    assert sample.origin == "the provider's first example, its series extended"
    assert sample.data[0] == item
    assert [each["date"] for each in sample.data[1:3]] == ["2026-01-31", "2026-02-01"]
    assert len(sample.data) == 7
    assert all(8 <= each["amount"] <= 12 for each in sample.data)


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        ({**NUMBERS, "maxItems": 3}, [1, 2, 3]),
        (NUMBERS, []),
        (NUMBERS, [1, 2, 3, 4, 5, 6, 7]),
        ({"type": "array", "items": {"type": "string"}}, ["a"]),
        ({"type": "object"}, {"a": 1}),
        ({"type": "array", "items": {"enum": [5]}}, [5]),
    ],
)
def test_series_that_may_not_or_need_not_grow_stays(schema: dict[str, Any], data: Any) -> None:
    assert extend_series(schema, data) is data


def test_series_inside_an_object_grows() -> None:
    schema = {"type": "object", "properties": {"days": NUMBERS}}
    assert len(extend_series(schema, {"days": [10.0, 12.0]})["days"]) == 7


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 3, "maximum": 4},
        {"type": "number", "minimum": 1000},
        {"type": "number", "maximum": -5},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "string", "pattern": "^[A-Z]{3}[0-9]{2}$"},
        {"type": "string", "minLength": 200},
        {"type": "string", "maxLength": 2},
        {"type": "string", "format": "uri"},
        {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 9},
        {"oneOf": [{"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]}, {"type": "null"}]},
        {"type": "object", "properties": {"next": {"$ref": "#"}, "name": {"type": "string"}}, "required": ["name"]},
        {"const": None},
    ],
)
def test_made_sample_is_valid(schema: dict[str, Any]) -> None:
    assert validate(schema, made_sample(schema).data) == []


def test_schema_without_a_value_has_no_sample() -> None:
    sample = made_sample({"type": "object", "required": ["a"], "properties": {"a": False}})
    assert (sample.data, sample.origin) == (None, "none: no value could be made from the schema")
