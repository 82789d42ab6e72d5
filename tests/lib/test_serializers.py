"""Closed sets of fields in both casings, with hints; the user's own keys stay untouched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from aiffinity.lib.errors import flatten_details
from aiffinity.lib.serializers import (
    JsonObjectField,
    StrictBooleanField,
    StrictIntegerField,
    StrictSerializer,
    TextField,
    json_type,
    snake_case,
)
from aiffinity.lib.views import EmptyBody


class Inner(StrictSerializer):
    max_retries = StrictIntegerField()


class Body(StrictSerializer):
    id = serializers.CharField(read_only=True)
    display_name = TextField(max_length=20)
    refresh_interval_seconds = StrictIntegerField(required=False, max_value=100)
    is_public = StrictBooleanField(required=False)
    schema = JsonObjectField(required=False)
    retry_policy = Inner(required=False)
    steps = Inner(many=True, required=False)


def faults(data):
    serializer = Body(data=data)
    assert not serializer.is_valid()
    return [tuple(detail) for detail in flatten_details(serializer.errors)]


def valid(data):
    serializer = Body(data=data)
    assert serializer.is_valid(), serializer.errors
    return dict(serializer.validated_data)


@given(st.lists(st.text("abcdefghij", min_size=1, max_size=6), min_size=1, max_size=5))
def test_camel_case_leads_back_to_snake_case(words):
    camel = words[0] + "".join(word.capitalize() for word in words[1:])
    assert snake_case(camel) == "_".join(words)
    assert snake_case("_".join(words)) == "_".join(words)


def test_both_casings_name_the_same_field():
    assert valid({"displayName": "A", "refreshIntervalSeconds": 5, "retryPolicy": {"maxRetries": 1}}) == valid(
        {"display_name": "A", "refresh_interval_seconds": 5, "retry_policy": {"max_retries": 1}}
    )


def test_keys_inside_of_json_stay_as_they_are():
    schema = {"someKey": {"innerKey": 1}, "other_key": [{"deepKey": 2}]}
    assert valid({"display_name": "A", "schema": schema})["schema"] == schema


def test_the_same_field_in_both_casings_is_refused():
    assert faults({"display_name": "A", "displayName": "B"}) == [
        ("displayName", "duplicate", "This field is given twice.")
    ]


def test_an_unknown_field_is_named_with_the_nearest_known_one():
    assert faults({"display_name": "A", "displayNam": "B"}) == [
        ("displayNam", "unknown_field", "Unknown field. Did you mean 'display_name'?")
    ]
    [(field, code, message)] = faults({"display_name": "A", "zzz": 1})
    assert (field, code) == ("zzz", "unknown_field")
    assert message.startswith("Unknown field. Known fields: display_name, is_public, ")


def test_an_unknown_field_of_a_body_without_fields_says_that_it_has_none():
    body = EmptyBody(data={"reason": "x"})
    assert not body.is_valid()
    assert [tuple(detail) for detail in flatten_details(body.errors)] == [
        ("reason", "unknown_field", "Unknown field. This body has no fields; send {}.")
    ]


def test_a_read_only_field_is_refused():
    assert faults({"display_name": "A", "id": "x"}) == [("id", "read_only", "This field is read-only; leave it out.")]


def test_nested_faults_have_their_path():
    assert faults({"display_name": "A", "steps": [{"max_retries": 1}, {"maxRetry": 1}]}) == [
        ("steps[1].maxRetry", "unknown_field", "Unknown field. Did you mean 'max_retries'?")
    ]
    assert faults({"display_name": "A", "retryPolicy": "often"}) == [
        ("retry_policy", "type", "Expected an object, not a string.")
    ]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("display_name", 5, "Expected a string, not a number."),
        ("display_name", None, "This field may not be null."),
        ("display_name", ["A"], "Expected a string, not an array."),
        ("refresh_interval_seconds", "5", "Expected an integer, not a string."),
        ("refresh_interval_seconds", True, "Expected an integer, not a boolean."),
        ("refresh_interval_seconds", 5.5, "Expected an integer, not a number."),
        ("is_public", 1, "Expected true or false, not a number."),
        ("is_public", "yes", "Expected true or false, not a string."),
        ("schema", [1], "Expected an object, not an array."),
    ],
)
def test_wrong_types_are_never_converted(field, value, message):
    [(name, _, found)] = faults({"display_name": "A", field: value})
    assert (name, found) == (field, message)


@given(
    st.dictionaries(
        st.text(max_size=12),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers(), max_size=2),
        max_size=5,
    )
)
def test_any_object_is_accepted_or_refused_by_field(data):
    serializer = Body(data=data)
    if not serializer.is_valid():
        assert flatten_details(serializer.errors)


def test_json_types_have_their_json_names():
    values: tuple[object, ...] = (None, True, 1, 1.5, "x", [], {})
    named = [json_type(value) for value in values]
    assert named == [
        "null",
        "a boolean",
        "a number",
        "a number",
        "a string",
        "an array",
        "an object",
    ]
