"""The capabilities of a review page: what changed most comes first, and line by line."""

from typing import Any

from packages.console.capabilities import MAX_COMPARED_LINES, shown_capabilities
from packages.drift import compare
from packages.models import Version
from tests.runtime import documents

STATE: dict[str, Any] = {**documents.STATE, "permissions": [], "examples": []}


def named(name: str, **fields: Any) -> dict[str, Any]:
    """Return a descriptor under a name."""
    return {**STATE, "name": name, **fields}


def shown(before: list[dict[str, Any]] | None, after: list[dict[str, Any]]) -> list[Any]:
    """Return what a page shows of versions with these capabilities."""
    version, base = Version(capabilities=after), Version(capabilities=before) if before else None
    return shown_capabilities(version, base, compare(before, after) if before else None)


def test_what_changed_most_comes_first() -> None:
    before = [named("calm"), named("gone"), named("asks"), named("breaks")]
    broken = {**STATE["schema"], "properties": {"location": {"type": "string"}}, "required": ["location"]}
    after = [named("calm"), named("asks", permissions=["weather:read"]), named("breaks", schema=broken), named("fresh")]
    assert [(each.descriptor["name"], each.change) for each in shown(before, after)] == [
        ("breaks", "breaking"),
        ("fresh", "new"),
        ("asks", "widening"),
        ("calm", "unchanged"),
    ]


def test_changed_lines_are_shown_with_their_kind() -> None:
    [item] = shown([named("one")], [named("one", description="Other words")])
    assert ("removed", f'-  "description": "{STATE["description"]}",') in item.lines
    assert ("added", '+  "description": "Other words",') in item.lines
    assert {kind for kind, _ in item.lines} <= {"added", "removed", "same", "place"}


def test_unchanged_and_first_ones_have_no_lines_to_compare() -> None:
    assert [each.lines for each in shown([named("one")], [named("one")])] == [[]]
    [first] = shown(None, [named("one")])
    assert (first.change, first.lines) == ("", [])


def test_descriptor_beyond_the_bound_is_not_compared_line_by_line() -> None:
    many = {f"field_{number}": {"type": "string"} for number in range(MAX_COMPARED_LINES // 2)}
    schema = {**STATE["schema"], "properties": {**STATE["schema"]["properties"], **many}}
    [item] = shown([named("one")], [named("one", schema=schema)])
    assert (item.change != "unchanged", item.lines) == (True, [])
