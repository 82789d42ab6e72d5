"""Which component fits which capability."""

from typing import Any

import pytest

from packages.surface import misfit_of
from runtime.descriptors import normalise_descriptor
from runtime.surface_guidance import COMPONENTS
from tests.runtime import documents

BY_MODE = {body["mode"]: normalise_descriptor(body) for body in documents.TEMPLATES}
SERIES: dict[str, Any] = normalise_descriptor(
    {
        "name": "week",
        "mode": "state",
        "description": "The temperatures of a week",
        "schema": {"type": "object", "properties": {"days": {"type": "array", "items": {"type": "number"}}}},
    }
)


@pytest.mark.parametrize(
    ("component", "fitting"),
    [
        ("stat_row", {"state", "realtime"}),
        ("sparkline", {"history", "series"}),
        ("list", {"history", "series"}),
        ("table", {"history"}),
        ("timeline", {"history"}),
        ("progress", {"state"}),
        ("card", {"state", "action", "history", "realtime", "webhook", "series"}),
        ("chart", {"history", "series"}),
    ],
)
def test_component_fits(component: str, fitting: set[str]) -> None:
    capabilities = {**BY_MODE, "series": SERIES}
    assert {name for name, item in capabilities.items() if misfit_of(component, item) is None} == fitting


def test_every_component_is_judged() -> None:
    assert all(isinstance(misfit_of(component, SERIES), str | None) for component in COMPONENTS)


def test_schema_behind_references_and_null_is_seen() -> None:
    schema = {
        "$ref": "#/$defs/answer",
        "$defs": {
            "answer": {"type": "object", "properties": {"days": {"type": "array", "items": {"$ref": "#/$defs/day"}}}},
            "day": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        },
    }
    capability = {**SERIES, "schema": schema}
    assert misfit_of("sparkline", capability) is None
    assert misfit_of("table", capability) == "table needs an array of objects with several fields; the schema has none."
