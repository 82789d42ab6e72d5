"""Fields that are marked as sensitive stay hidden in every picture."""

from typing import Any

import pytest

from packages.surface import render_capability, render_component
from runtime.descriptors import normalise_descriptor
from runtime.surface_guidance import COMPONENTS
from tests.packages.surface.markup import text_of
from tests.runtime import documents

ACTION = normalise_descriptor(documents.ACTION)
SECRET, NUMBER = "zqsecret", 98765
MARKED = {"x-sensitivity": "financial"}
LEAVES: list[dict[str, Any]] = [
    {"properties": {"a": MARKED}},
    {"properties": {"a": {"$ref": "#/$defs/m"}}, "$defs": {"m": MARKED}},
    {"properties": {"a": {"allOf": [MARKED]}}},
    {"properties": {"a": {"anyOf": [{"type": "null"}, MARKED]}}},
    {"properties": {"a": {"oneOf": [MARKED, {"type": "null"}]}}},
    {"properties": {"a": {"if": True, "then": MARKED}}},
    {"allOf": [{"properties": {"a": MARKED}}]},
    {"dependentSchemas": {"a": {"properties": {"a": MARKED}}}},
    {"patternProperties": {"a": MARKED}},
    {"additionalProperties": MARKED},
    {"x-sensitivity": "personal", "properties": {"a": {"type": "string"}}},
    {"$ref": "#/$defs/m", "$defs": {"m": {"properties": {"a": {"properties": {}, "items": MARKED, **MARKED}}}}},
]
VALUES: list[Any] = [SECRET, NUMBER, [SECRET, SECRET], [NUMBER] * 8, {"b": SECRET}, [{"b": NUMBER, "c": SECRET}] * 8]


@pytest.mark.parametrize("schema", LEAVES, ids=range(len(LEAVES)))
@pytest.mark.parametrize("component", COMPONENTS)
def test_marked_fields_stay_hidden(component: str, schema: dict[str, Any]) -> None:
    defs = {"$defs": schema.get("$defs", {})}
    for value in VALUES:
        for whole, sample in (
            (schema, {"a": value}),
            ({"type": "array", "items": schema, **defs}, [{"a": value}] * 8),
            ({"properties": {"rows": {"items": schema}}, **defs}, {"rows": [{"a": value}] * 8}),
            ({"properties": {"inner": schema}, **defs}, {"inner": {"a": value}}),
        ):
            html = render_component(component, whole, sample)
            text_of(html)
            assert SECRET not in html
            assert "98,765" not in html
            assert "98.77k" not in html


@pytest.mark.parametrize("items", [{"items": MARKED}, {"prefixItems": [MARKED]}, {"contains": MARKED}, MARKED])
@pytest.mark.parametrize("component", COMPONENTS)
def test_marked_items_stay_hidden(component: str, items: dict[str, Any]) -> None:
    for value in (SECRET, NUMBER, {"b": SECRET}):
        for schema, sample in ((items, [value] * 8), ({"properties": {"xs": items}}, {"xs": [value] * 8})):
            html = render_component(component, schema, sample)
            assert SECRET not in html
            assert "98,765" not in html


def test_hidden_series_is_explained() -> None:
    schema = {"properties": {"balances": {"items": MARKED}}}
    text = text_of(render_component("sparkline", schema, {"balances": [1, 2, 3]}))
    assert text == "••• Balances is marked financial: only its user sees it."


def test_marked_input_stays_hidden_on_the_sheet() -> None:
    fields = {"iban": {"type": "string", **MARKED}, "kind": {"enum": [SECRET, "b"], **MARKED}}
    schema = {"input": {"type": "object", "properties": fields}, "output": {}}
    descriptor = {**ACTION, "schema": schema, "examples": [{"params": {"iban": SECRET, "kind": SECRET}}]}
    sheet = render_capability({**descriptor, "examples": [{**descriptor["examples"][0], "data": {}}]}).components[0]
    assert SECRET not in sheet.html
    assert "•••" in text_of(sheet.html)


def test_rows_without_a_number_to_draw_are_left_out() -> None:
    schema = {"items": {"properties": {"a": {}, "b": MARKED}}}
    html = render_component("chart", schema, [{"a": 1}, {"a": 2}, *[{"b": NUMBER}] * 300])
    assert text_of(html) == "A 1 1.25 1.5 1.75 2 1 2"
