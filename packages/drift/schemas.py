"""Compares two JSON Schemas from the side of those who send values to it, or get values from it.

An input schema breaks when it refuses what it took before; an answer schema breaks when a field that was
promised may be missing or of another type. What this comparison doesn't understand counts as breaking.
"""

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from aiffinity.lib.schemas.faults import child_pointer
from aiffinity.lib.schemas.sensitivity import SENSITIVITY_KEYWORD
from aiffinity.lib.schemas.structure import Document
from aiffinity.lib.schemas.validation import compiled
from packages.drift.levels import Change, Level

Schema = Any


class Side(StrEnum):
    """Whether users send values to a schema or get values from it."""

    INPUT = "input"
    OUTPUT = "output"


MAX_FEW_VALUES = 100

# A higher lower bound takes fewer values, and so does a lower upper bound.
_LOWER_BOUNDS = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"}
_LENGTHS = {"minLength", "minItems", "minProperties"}
_UPPER_BOUNDS = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"}
_LIMITS = {"pattern", "format", "const", "multipleOf", "uniqueItems", "contentEncoding", "contentMediaType"}
_ANNOTATIONS = {
    "$schema", "$id", "$anchor", "$dynamicAnchor", "$comment", "$defs", "definitions", "title", "description",
    "default", "examples", "deprecated", "readOnly", "writeOnly", SENSITIVITY_KEYWORD,
}  # fmt: skip
_COMPARED = {"type", "enum", "properties", "required", "items", "additionalProperties", "$ref"}


def compare_schemas(old: Schema, new: Schema, side: Side, pointer: str) -> list[Change]:
    """Return the changes from one schema to another; a missing schema takes every value."""
    if old == new:
        return []
    walk = _Walk(True if old is None else old, True if new is None else new, side)
    return list(walk.compare(walk.old_root, walk.new_root, pointer))


class _Walk:
    """One comparison: both documents for their local references, and the pairs that were entered already."""

    def __init__(self, old_root: Schema, new_root: Schema, side: Side) -> None:
        self.old_root, self.new_root, self.side = old_root, new_root, side
        self._old, self._new = Document(old_root), Document(new_root)
        # The values keep the schemas alive, so that no id is given to another one meanwhile.
        self._entered: dict[tuple[int, int], tuple[Schema, Schema]] = {}

    def compare(self, old: Schema, new: Schema, pointer: str) -> Iterator[Change]:
        """Yield the changes from one subschema to the other."""
        old_target, old = _split(old, self._old)
        new_target, new = _split(new, self._new)
        if old_target is not None or new_target is not None:
            yield from self.compare(_or_any(old_target), _or_any(new_target), pointer)
        if (id(old), id(new)) in self._entered:
            return
        self._entered[id(old), id(new)] = (old, new)
        if not isinstance(old, Mapping) or not isinstance(new, Mapping):
            yield from self._compare_open(old, new, pointer)
            return
        values = _few_values_of(old) if self.side is Side.INPUT else None
        if values is not None and not ("enum" in old and "enum" in new) and not _holds_reference(new):
            yield from self._compare_values(values, old, new, pointer)
            return
        yield from self._types(old, new, pointer)
        yield from self._enums(old, new, pointer)
        yield from self._properties(old, new, pointer)
        yield from self._required(old, new, pointer)
        yield from self._additional(old, new, pointer)
        if "items" in old or "items" in new:
            yield from self.compare(old.get("items", True), new.get("items", True), f"{pointer}/items")
        yield from self._limits(old, new, pointer)
        yield from self._others(old, new, pointer)

    def _compare_values(
        self, values: list[Any], old: Mapping[str, Any], new: Mapping[str, Any], pointer: str
    ) -> Iterator[Change]:
        """Compare a schema of few values with another one by asking it for each of them."""
        taken = compiled({keyword: value for keyword, value in new.items() if keyword not in _ANNOTATIONS})
        rules = [{k: v for k, v in side.items() if k not in _ANNOTATIONS} for side in (old, new)]
        if not all(taken.is_valid(value) for value in values):
            yield self._narrowed("enum", f"{pointer}/enum" if "enum" in new else pointer)
        elif rules[0] != rules[1]:
            yield self._widened("enum", f"{pointer}/enum" if "enum" in new else pointer)

    def _compare_open(self, old: Schema, new: Schema, pointer: str) -> Iterator[Change]:
        """Compare where at least one side is `true` (everything) or `false` (nothing)."""
        if _takes_everything(old) and _takes_everything(new):
            return
        if old is False and new is False:
            return
        is_tighter = _takes_everything(old) or new is False
        yield self._narrowed("schema", pointer) if is_tighter else self._widened("schema", pointer)

    def _narrowed(self, what: str, pointer: str) -> Change:
        level = Level.BREAKING if self.side is Side.INPUT else Level.NARROWING
        return Change(f"{what}_narrowed", level, pointer, f"{what}: fewer values are allowed.")

    def _widened(self, what: str, pointer: str) -> Change:
        return Change(f"{what}_widened", Level.WIDENING, pointer, f"{what}: more values are allowed.")

    def _types(self, old: Mapping[str, Any], new: Mapping[str, Any], pointer: str) -> Iterator[Change]:
        before, after = _types_of(old), _types_of(new)
        if before == after:
            return
        place = f"{pointer}/type"
        is_subset = after is not None and (before is None or after <= before)
        is_superset = after is None or (before is not None and before <= after)
        if self.side is Side.INPUT and is_superset:
            yield self._widened("type", place)
        elif self.side is Side.OUTPUT and is_subset:
            yield self._narrowed("type", place)
        else:
            message = f"The type changed from {_named(before)} to {_named(after)}."
            yield Change("type_changed", Level.BREAKING, place, message)

    def _enums(self, old: Mapping[str, Any], new: Mapping[str, Any], pointer: str) -> Iterator[Change]:
        before, after = old.get("enum"), new.get("enum")
        if before == after:
            return
        place = f"{pointer}/enum"
        if before is None or (after is not None and any(value not in after for value in before)):
            yield self._narrowed("enum", place)
        if after is None or (before is not None and any(value not in before for value in after)):
            yield self._widened("enum", place)

    def _properties(self, old: Mapping[str, Any], new: Mapping[str, Any], pointer: str) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            place = child_pointer(pointer, "properties", name)
            if name in after:
                yield from self.compare(schema, after[name], place)
            elif self.side is Side.OUTPUT or not _is_open(new):
                message = f"The property {name} was removed."
                yield Change("property_removed", Level.BREAKING, place, message)
            else:
                message = f"The property {name} is no longer described, and still taken."
                yield Change("property_removed", Level.COMPATIBLE, place, message)
        for name, schema in after.items():
            if name not in before:
                yield from self._added_property(old, name, schema, child_pointer(pointer, "properties", name))

    def _added_property(self, old: Mapping[str, Any], name: str, schema: Schema, place: str) -> Iterator[Change]:
        is_tighter = self.side is Side.INPUT and _is_open(old) and not _takes_everything(schema)
        if is_tighter:
            message = f"The property {name} was added; before it took any value."
            yield Change("property_added", Level.COMPATIBLE, place, message)
        else:
            yield Change("property_added", Level.WIDENING, place, f"The property {name} was added.")

    def _required(self, old: Mapping[str, Any], new: Mapping[str, Any], pointer: str) -> Iterator[Change]:
        before, after = set(old.get("required", ())), set(new.get("required", ()))
        place = f"{pointer}/required"
        for name in sorted(after - before):
            level = Level.BREAKING if self.side is Side.INPUT else Level.NARROWING
            yield Change("required_added", level, place, f"The property {name} is required now.")
        for name in sorted(before - after):
            level = Level.WIDENING if self.side is Side.INPUT else Level.BREAKING
            yield Change("required_dropped", level, place, f"The property {name} is no longer required.")

    def _additional(self, old: Mapping[str, Any], new: Mapping[str, Any], pointer: str) -> Iterator[Change]:
        before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if before == after or (_takes_everything(before) and _takes_everything(after)):
            return
        yield from self.compare(before, after, f"{pointer}/additionalProperties")

    def _limits(self, old: Mapping[str, Any], new: Mapping[str, Any], pointer: str) -> Iterator[Change]:
        for keyword in sorted((_LOWER_BOUNDS | _UPPER_BOUNDS | _LIMITS) & (old.keys() | new.keys())):
            before, after = _limit_of(old, keyword), _limit_of(new, keyword)
            if before == after:
                continue
            place = child_pointer(pointer, keyword)
            if keyword in _LIMITS and before is not None and after is not None:
                message = f"{keyword} changed; what was allowed may be refused."
                level = Level.BREAKING if self.side is Side.INPUT else Level.WIDENING
                yield Change(f"{keyword}_changed", level, place, message)
            else:
                is_tighter = _is_tighter(keyword, before, after)
                yield self._narrowed(keyword, place) if is_tighter else self._widened(keyword, place)

    def _others(self, old: Mapping[str, Any], new: Mapping[str, Any], pointer: str) -> Iterator[Change]:
        known = _ANNOTATIONS | _COMPARED | _LOWER_BOUNDS | _UPPER_BOUNDS | _LIMITS
        for keyword in sorted((old.keys() | new.keys()) - known):
            before, after = old.get(keyword), new.get(keyword)
            if before != after or _holds_reference(after):
                message = f"{keyword} changed; it can't be told what it takes now."
                place = child_pointer(pointer, keyword)
                yield Change(f"{keyword}_changed", Level.BREAKING, place, message)


def _few_values_of(schema: Mapping[str, Any]) -> list[Any] | None:
    """Return every value that a schema takes where it names them or they are few integers, else None."""
    rules = schema.keys() - _ANNOTATIONS
    if rules == {"const"}:
        return [schema["const"]]
    if "enum" in rules and rules <= {"enum", "type"}:
        of_type = compiled({"type": schema["type"]}) if "type" in rules else None
        return [value for value in schema["enum"] if of_type is None or of_type.is_valid(value)]
    if rules == {"type"} and schema["type"] == "boolean":
        return [False, True]
    if rules == {"type", "minimum", "maximum"} and schema["type"] == "integer":
        first, last = math.ceil(schema["minimum"]), math.floor(schema["maximum"])
        return list(range(first, last + 1)) if last - first < MAX_FEW_VALUES else None
    return None


def _split(schema: Schema, document: Document) -> tuple[Schema | None, Schema]:
    """Follow a local reference; return (what it leads to, the keywords beside it) where there are any."""
    seen: set[str] = set()
    while isinstance(schema, Mapping) and isinstance(schema.get("$ref"), str):
        target = document.target_of(schema["$ref"])
        beside = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
        if beside.keys() - _ANNOTATIONS:
            return (None if target is None else document.schema_at(target)), beside
        if target is None or target in seen:
            return None, True
        seen.add(target)
        schema = document.schema_at(target)
    return None, schema


def _or_any(schema: Schema | None) -> Schema:
    return True if schema is None else schema


def _holds_reference(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "$ref" in value or "$dynamicRef" in value or any(map(_holds_reference, value.values()))
    return isinstance(value, list) and any(map(_holds_reference, value))


def _takes_everything(schema: Schema) -> bool:
    return schema is True or (isinstance(schema, Mapping) and not schema.keys() - _ANNOTATIONS)


def _is_open(schema: Mapping[str, Any]) -> bool:
    return _takes_everything(schema.get("additionalProperties", True))


def _types_of(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the set of types, None for any; a number includes the integers."""
    types = schema.get("type")
    if types is None:
        return None
    names = {types} if isinstance(types, str) else set(types)
    return frozenset(names | {"integer"} if "number" in names else names)


def _named(types: frozenset[str] | None) -> str:
    if types is None:
        return "any"
    return " or ".join(sorted(types - {"integer"} if "number" in types else types))


def _limit_of(schema: Mapping[str, Any], keyword: str) -> Any:
    """Return a keyword's value, None where it is missing or asks for nothing: nothing is shorter than 0."""
    value = schema.get(keyword)
    return None if value == 0 and keyword in _LENGTHS else value


def _is_tighter(keyword: str, before: Any, after: Any) -> bool:
    if before is None or after is None:
        return before is None
    return bool(after > before) if keyword in _LOWER_BOUNDS else bool(after < before)
