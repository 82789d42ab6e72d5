"""Paths of faults, ttl bounds and permissions."""

import pytest

from aiffinity.lib.errors import Detail
from capabilities.cached_states import bounded_ttl
from capabilities.consents import consented_permissions, permissions_of
from capabilities.contracts import answer_faults, field_path, param_faults
from runtime.descriptors import normalise_descriptor
from tests.published import TICKER, TRANSACTIONS, WEATHER


@pytest.mark.parametrize(
    ("pointer", "path"),
    [
        ("", "params"),
        ("/items/0/id", "params.items[0].id"),
        ("/0", "params.0"),
        ("/a~1b", "params.a/b"),
        ("/items/7", "params.items[7]"),
    ],
)
def test_a_pointer_becomes_a_field_path(pointer: str, path: str) -> None:
    assert field_path("params", {"items": [{"id": 1}], "0": 1}, pointer) == path


def test_without_an_input_schema_any_object_is_taken() -> None:
    assert param_faults(normalise_descriptor(TICKER), {"whatever": [1]}) == []


def test_each_item_of_a_history_is_judged() -> None:
    descriptor = normalise_descriptor(TRANSACTIONS)
    assert answer_faults(descriptor, [{"id": "1", "amount": 2}]) == []
    [fault] = answer_faults(descriptor, [{"id": "1", "amount": 2}, {"id": "2", "amount": "much"}])
    assert (fault.field, fault.code) == ("data[1].amount", "type")
    assert answer_faults(descriptor, {"id": "1", "amount": 2})[0].field == "data"


def test_an_unknown_param_is_named() -> None:
    [fault] = param_faults(normalise_descriptor(WEATHER), {"place": "Oslo"})
    assert fault == Detail("params.place", fault.code, "is not a known field here.")


@pytest.mark.parametrize(
    ("ttl", "interval", "kept"),
    [
        (None, 900, 900),
        (0, 900, 5),
        (4.9, 900, 5),
        (600, 900, 600),
        (10**9, 900, 1800),
        (None, None, 900),
        (70, 60, 70),
    ],
)
def test_a_ttl_lies_between_five_seconds_and_twice_the_interval(
    ttl: float | None, interval: int | None, kept: int
) -> None:
    assert bounded_ttl(ttl, interval) == kept


def test_permissions_are_listed_once_and_in_order() -> None:
    descriptors = [{"permissions": ["b", "a"]}, {"permissions": ["b"]}, {}]
    assert permissions_of(descriptors) == ["a", "b"]
    assert consented_permissions(["a", "b"], None) == ["a", "b"]
    assert consented_permissions(["a", "b"], ["b", "a"]) == ["a", "b"]
