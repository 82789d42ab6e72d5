"""The drift report against generated schemas and every boundary instance of them.

An input breaks exactly when an instance that was valid before is refused. An answer breaks exactly when something
that was promised may be missing or of another type: a required field, or the type of a described one.
"""

import itertools
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aiffinity.lib.schemas import compiled
from packages.drift import Level, compare

ABSENT = object()
NAMES = ("a", "b", "c")
# One value of each type, the edges of every bound below, and their neighbours.
VALUES: tuple[Any, ...] = (True, "", "x", "q", "yy", "qq", "zzz", -1, 0, 1, 2, 3, 4, 1.5)

integers = st.fixed_dictionaries(
    {"type": st.just("integer")},
    optional={"minimum": st.integers(0, 2), "maximum": st.integers(2, 3)},
)
strings = st.fixed_dictionaries(
    {"type": st.just("string")},
    optional={"minLength": st.integers(0, 1), "maxLength": st.integers(1, 2)},
)
enums = st.lists(st.sampled_from(["x", "yy", 1, 2]), min_size=1, unique=True).map(lambda values: {"enum": values})
fields = st.one_of(integers, strings, enums, st.just({"type": "boolean"}), st.just({"type": ["integer", "string"]}))


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an object schema over a few names; not all of them are described, some are required."""
    properties = draw(st.dictionaries(st.sampled_from(NAMES), fields, max_size=3))
    required = draw(st.lists(st.sampled_from(sorted(properties) or ["a"]), unique=True, max_size=3))
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(set(required) & set(properties)),
        "additionalProperties": draw(st.booleans()),
    }


def instances(described: set[str], *, others: bool) -> Iterator[dict[str, Any]]:
    """Yield every object over the described names, each also left out, and where asked over a further name."""
    choices = dict.fromkeys(sorted(described), (ABSENT, *VALUES))
    if others:
        choices["undescribed"] = (ABSENT, 1)
    for values in itertools.product(*choices.values()):
        yield {name: value for name, value in zip(choices, values, strict=True) if value is not ABSENT}


def descriptor(**sides: Any) -> dict[str, Any]:
    schema = {"input": {"type": "object"}, "output": {"type": "object"}, **sides}
    return {"name": "thing", "mode": "action", "schema": schema, "risk_level": "action_capable"}


@given(before=objects(), after=objects())
def test_an_input_breaks_exactly_when_something_valid_before_is_refused(before, after):
    report = compare([descriptor(input=before)], [descriptor(input=after)])

    was, now = compiled(before), compiled(after)
    # A value that an open schema took without describing it was never promised; that it takes others was.
    tried = instances(set(before["properties"]), others=not after["additionalProperties"])
    is_refused = any(was.is_valid(each) and not now.is_valid(each) for each in tried)
    assert report.is_breaking == is_refused, report.as_dict()


@given(before=objects(), after=objects())
def test_an_answer_breaks_exactly_when_a_promise_may_be_broken(before, after):
    report = compare([descriptor(output=before)], [descriptor(output=after)])

    assert report.is_breaking == any(_breaks(before, after, name) for name in before["properties"]), report.as_dict()


def _breaks(before: dict[str, Any], after: dict[str, Any], name: str) -> bool:
    """Say whether a described property may be missing, undescribed or of a type that it never had."""
    if name not in after["properties"] or (name in before["required"] and name not in after["required"]):
        return True
    old_types, new_types = (_types(schema["properties"][name]) for schema in (before, after))
    return not new_types <= old_types


def _types(schema: dict[str, Any]) -> set[str]:
    names = schema.get("type", ["string", "integer", "number", "boolean", "object", "array", "null"])
    return {names} if isinstance(names, str) else set(names)


@given(schema=objects())
def test_every_version_is_compatible_with_itself(schema):
    report = compare([descriptor(input=schema, output=schema)], [descriptor(input=schema, output=schema)])
    assert (report.level, report.changes, report.bump) == (Level.COMPATIBLE, (), "patch")
