"""Whatever a provider sends: a picture comes back, and nothing in it acts or loads."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packages.surface import render_capability, render_component
from runtime.descriptors import normalise_descriptor
from runtime.surface_guidance import COMPONENTS
from tests.lib.test_texts import PAYLOADS
from tests.packages.surface.markup import tags_of, text_of
from tests.runtime import documents

DOCUMENTED = {body["mode"]: normalise_descriptor(body) for body in documents.TEMPLATES}


@pytest.mark.parametrize("component", COMPONENTS)
def test_hostile_texts_stay_texts(component: str) -> None:
    """The payload changes no element of the picture, as a value, a name, a title and a choice."""
    assert len(PAYLOADS) >= 60
    for payload, _ in PAYLOADS:
        pictures = [_picture_with(component, text) for text in (payload, "plain")]
        assert all(text_of(html) is not None for html in pictures)
        assert tags_of(pictures[0])[:3] == tags_of(pictures[1])[:3]
        assert set(tags_of(pictures[0])) <= set(tags_of(pictures[1])) | {"span", "p", "div"}


def _picture_with(component: str, text: str) -> str:
    item = {text: text, "title": text, "n": 5, "choice": text, "date": "2026-01-01", "tags": [text]}
    schema = {
        "properties": {
            text: {"title": text, "description": text},
            "n": {"type": "number", "maximum": 10, "title": text},
            "choice": {"enum": [text]},
            "date": {"format": "date"},
        }
    }
    whole = {"properties": {**schema["properties"], "rows": {"type": "array", "items": schema}}}
    return str(render_component(component, whole, {**item, "rows": [item, {**item, "n": 7}]}, title=text))


@pytest.mark.parametrize("mode", DOCUMENTED)
def test_hostile_descriptors_stay_texts(mode: str) -> None:
    for payload, _ in PAYLOADS:
        descriptor = {
            **DOCUMENTED[mode],
            "name": payload,
            "description": payload,
            "permissions": [payload],
            "events": [payload],
            "risk_level": payload,
            "schema": {"type": "object", "properties": {payload: {"title": payload}}},
            "examples": [{"params": {payload: payload}, "data": {payload: payload, "title": payload}}],
        }
        for picture in render_capability(descriptor).components:
            text_of(picture.html)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["2026-01-15", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "<b>", "PT5M"]),
    lambda inner: (
        st.lists(inner, max_size=9)
        | st.dictionaries(
            st.text(max_size=8) | st.sampled_from(["title", "date", "n_c", "currency"]), inner, max_size=6
        )
    ),
    max_leaves=25,
)
plain_schemas = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", "number", "integer", "boolean", "null"])},
    optional={
        "x-sensitivity": st.sampled_from(["none", "personal", "health"]),
        "title": st.text(max_size=10),
        "format": st.sampled_from(["date", "date-time", "uri", "time"]),
        "maximum": st.integers(min_value=0, max_value=10**300) | st.floats(0, 1e300),
        "enum": st.lists(json_values, min_size=1, max_size=3),
    },
)
schemas = st.recursive(
    plain_schemas,
    lambda inner: (
        st.builds(lambda item: {"type": "array", "items": item}, inner)
        | st.builds(lambda items: {"anyOf": items}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(
            lambda fields: {"type": "object", "properties": fields},
            st.dictionaries(
                st.text(max_size=6) | st.sampled_from(["title", "date", "temp_c", "price"]), inner, max_size=5
            ),
        )
    ),
    max_leaves=10,
)


@given(component=st.sampled_from(COMPONENTS), schema=schemas, sample=json_values)
@settings(max_examples=60, deadline=None)
def test_any_sample_gives_an_inert_picture(component: str, schema: dict[str, Any], sample: Any) -> None:
    text_of(render_component(component, schema, sample))


@given(mode=st.sampled_from(list(DOCUMENTED)), schema=schemas)
@settings(max_examples=30, deadline=None)
def test_any_schema_gives_inert_pictures(mode: str, schema: dict[str, Any]) -> None:
    guidance = {"surface_guidance": {"preferred_components": list(COMPONENTS)}}
    descriptor = {**DOCUMENTED[mode], **guidance, "schema": json.loads(json.dumps(schema))}
    for picture in render_capability(descriptor).components:
        text_of(picture.html)


@given(numbers=st.lists(st.floats(allow_nan=False) | st.integers(), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_series_is_drawn_inside_its_frame(numbers: list[float]) -> None:
    html = render_component("chart", {"type": "array", "items": {"type": "number"}}, numbers)
    points = [pair.split(",") for line in re.findall(r'points="([^"]*)"', html) for pair in line.split()]
    assert all(0 <= float(x) <= 320 and 0 <= float(y) <= 180 for x, y in points)
