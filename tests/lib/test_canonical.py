"""The canonical form of JSON and its hash."""

import json
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from aiffinity.lib.canonical import canonical_json, content_hash

JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(list(value))}
    return [reordered(item) for item in value] if isinstance(value, list) else value


def test_keys_are_sorted_and_nothing_is_spaced_or_escaped():
    assert canonical_json({"b": [1, True, None], "a": "é\n"}) == '{"a":"é\\n","b":[1,true,null]}'.encode()


def test_hash_is_the_sha_256_of_the_canonical_form():
    assert content_hash({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize(
    ("number", "text"), [(1.0, "1"), (-0.0, "0"), (1e2, "100"), (0.5, "0.5"), (1e21, "1" + "0" * 21)]
)
def test_integral_floats_are_written_as_integers(number, text):
    assert canonical_json(number) == text.encode()


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "\ud800", {"\ud800": 1}, {1: 2}, object(), {1, 2}, b"bytes"]
)
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(ValueError):  # noqa: PT011 - the subclasses of the standard library differ.
        canonical_json([value])


def test_deep_nesting_is_refused():
    value: Any = 1
    for _ in range(5_000):
        value = [value]
    with pytest.raises(ValueError, match="deeper than 100"):
        canonical_json(value)


@given(JSON_VALUES)
def test_reordered_keys_give_the_same_bytes(value):
    assert canonical_json(reordered(value)) == canonical_json(value)


@given(JSON_VALUES)
def test_parsing_and_serialising_again_changes_nothing(value):
    canonical = canonical_json(value)
    assert canonical_json(json.loads(canonical)) == canonical


@pytest.mark.django_db
@settings(max_examples=30, deadline=None)
@given(JSON_VALUES.filter(lambda value: "\\u0000" not in json.dumps(value)))
def test_the_hash_survives_a_round_trip_through_jsonb(value):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb::text", [json.dumps(value)])
        row = cursor.fetchone()
    assert content_hash(json.loads(row[0])) == content_hash(value)
