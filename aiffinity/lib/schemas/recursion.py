"""Recursion that never ends and checks that would cost too much, found without running a schema.

Three things are refused, each a reading of "unbounded recursion":

- A circle of `$ref`, `allOf`, `anyOf`, `oneOf`, `not`, `if`, `then`, `else` and `dependentSchemas` that
  stays at one value: to judge the value a validator must first judge the same value by the same schema.
- A subschema that only an infinite value could satisfy, such as an object that requires itself as a field.
  It is one that is satisfiable if infinite values count and isn't if only finite ones do. Both are fixed
  points over the three kinds scalar, object and array; `required` and `properties` are read together within
  one subschema, and `not` and `if` are taken to hold.
- A schema by which one value may be judged more than 1,000 times, counting branches, references to branches
  and recursion down to the 64 levels that a JSON body may have. Such a schema is small and takes hours.
"""

from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

import re2

from aiffinity.lib.schemas.faults import SchemaFault, child_pointer
from aiffinity.lib.schemas.structure import Document

MAX_EVALUATIONS_PER_VALUE = 1_000
MAX_VALUE_DEPTH = 64
# Bounds the work of this very analysis to about a second; honest schemas stay below a tenth of it.
MAX_ANALYSED_EDGES = 100_000
# Measured: a validator walks the branches below an `unevaluated…` keyword again to learn what they have seen.
UNEVALUATED_FACTOR = 3

_OTHER_PATHS: list[tuple[str, ...]] = [("additionalProperties",), ("unevaluatedProperties",)]
IN_PLACE_SINGLE = ("not", "if", "then", "else")
IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")


class TooCostlyError(Exception):
    """A value at the subschema `pointer` may be judged too often."""

    def __init__(self, pointer: str) -> None:
        super().__init__(pointer)
        self.pointer = pointer


def recursion_faults(document: Document) -> list[SchemaFault]:
    """Return the faults of recursion and cost; references that lead nowhere are not followed."""
    try:
        order = list(TopologicalSorter(in_place_graph(document)).static_order())
    except CycleError as error:
        circle = [f"#{pointer}" for pointer in error.args[1]]
        message = (
            f"The schema refers to itself at the same value ({' → '.join(circle)}). "
            "Let the circle pass through properties or items."
        )
        return [SchemaFault(error.args[1][0], "endless_recursion", message)]
    try:
        evaluations_per_value(document, order)
    except TooCostlyError as error:
        message = (
            f"A value here may have to be judged more than {MAX_EVALUATIONS_PER_VALUE} times. Use fewer nested "
            "branches, fewer references inside branches, and one recursive reference per field."
        )
        return [SchemaFault(error.pointer, "too_costly", message)]
    return []


def in_place_graph(document: Document) -> dict[str, list[str]]:
    """Map each subschema's pointer to those that judge the very same value, with repetitions."""
    return {pointer: list(_in_place_targets(document, pointer)) for pointer in document.nodes}


def _in_place_targets(document: Document, pointer: str) -> Iterator[str]:
    schema = document.schema_at(pointer)
    if not isinstance(schema, dict):
        return
    yield from document.targets(pointer)
    paths: list[tuple[str | int, ...]] = [(keyword,) for keyword in IN_PLACE_SINGLE if keyword in schema]
    for keyword in IN_PLACE_LISTS:
        paths += [(keyword, index) for index in range(len(_as_list(schema.get(keyword))))]
    paths += [("dependentSchemas", name) for name in _as_dict(schema.get("dependentSchemas"))]
    for path in paths:
        target = child_pointer(pointer, *path)
        if target in document.nodes:
            yield target


def evaluations_per_value(
    document: Document, order: list[str] | None = None, *, limit: int = MAX_EVALUATIONS_PER_VALUE
) -> int:
    """Return how many subschemas may judge one value at most. Raises TooCostlyError past the limit.

    `order` is a topological order of in_place_graph, children first; without it a circle raises CycleError.
    """
    graph = in_place_graph(document)
    weights = _weights(document, graph, order or list(TopologicalSorter(graph).static_order()), limit)
    edges = _edges_by_place(document, graph)
    current = {place: weights[place] for place in edges}
    highest = weights[""]
    for _ in range(MAX_VALUE_DEPTH):
        deeper = {
            place: max((sum(n * current[target] for target, n in group.items()) for group in groups), default=0)
            for place, groups in edges.items()
        }
        for place, count in deeper.items():
            if count > limit:
                raise TooCostlyError(place)
        highest = max(highest, *deeper.values())
        if deeper == current:
            break
        current = deeper
    return highest


def _weights(document: Document, graph: dict[str, list[str]], order: list[str], limit: int) -> dict[str, int]:
    """Count for each subschema the judgements of one value, its branches included."""
    weights: dict[str, int] = {}
    for pointer in order:
        schema = document.schema_at(pointer)
        weight = 1 + sum(weights[target] for target in graph[pointer])
        if isinstance(schema, dict):
            weight += sum(isinstance(option, dict | list) for option in _as_list(schema.get("enum")))
            if "unevaluatedProperties" in schema or "unevaluatedItems" in schema:
                weight *= UNEVALUATED_FACTOR
        if weight > limit:
            raise TooCostlyError(pointer)
        weights[pointer] = weight
    return weights


def _edges_by_place(document: Document, graph: dict[str, list[str]]) -> dict[str, list[Counter[str]]]:
    """Map each place where judging begins to its groups of subschemas that judge one and the same child."""
    edges: dict[str, list[Counter[str]]] = {}
    pending, seen_edges = [""], 0
    while pending:
        place = pending.pop()
        if place in edges:
            continue
        edges[place] = []
        closure = _closure(document, graph, place)
        work = len(closure) + sum(_pattern_count(document, pointer) for pointer in closure)
        for group in _child_groups(document, closure):
            seen_edges += work
            if seen_edges > MAX_ANALYSED_EDGES:
                raise TooCostlyError(place)
            edges[place].append(group)
            pending.extend(group)
    return edges


def _closure(document: Document, graph: dict[str, list[str]], place: str) -> Counter[str]:
    """Count how often each subschema judges a value at a place; the bound on weights keeps this small."""
    closure: Counter[str] = Counter()
    pending = [(place, 1)]
    while pending:
        pointer, times = pending.pop()
        schema = document.schema_at(pointer)
        if not isinstance(schema, dict):
            continue
        closure[pointer] += times
        if "unevaluatedProperties" in schema or "unevaluatedItems" in schema:
            times *= UNEVALUATED_FACTOR
        pending.extend((target, times) for target in graph[pointer])
    return closure


def _child_groups(document: Document, closure: Counter[str]) -> Iterator[Counter[str]]:
    """Yield for each field name, each array index and "any other" the subschemas that judge that child."""
    names: dict[str, None] = {}
    prefix_length = 0
    for pointer in closure:
        schema = document.schema_at(pointer)
        names.update(dict.fromkeys(_as_dict(schema.get("properties"))))
        prefix_length = max(prefix_length, len(_as_list(schema.get("prefixItems"))))
    for name in names:
        yield _group(document, closure, lambda schema, name=name: _field_paths(schema, name))
    if sum(1 for pointer in closure if _pattern_count(document, pointer)) > 1:
        yield _group(document, closure, lambda schema: [*_pattern_paths(schema), *_OTHER_PATHS])
    else:
        yield _group(document, closure, lambda schema: _pattern_paths(schema) or _OTHER_PATHS)
        yield _group(document, closure, lambda _: _OTHER_PATHS)
    for index in range(prefix_length + 1):
        yield _group(document, closure, lambda schema, index=index: _item_paths(schema, index))
    yield _group(document, closure, lambda _: [("propertyNames",)])


def _group(document: Document, closure: Counter[str], paths_of: Any) -> Counter[str]:
    group: Counter[str] = Counter()
    for pointer, times in closure.items():
        for path in paths_of(document.schema_at(pointer)):
            target = child_pointer(pointer, *path)
            if target in document.nodes:
                group[target] += times
    return group


def _field_paths(schema: dict[str, Any], name: str) -> list[tuple[str, ...]]:
    patterns = _as_dict(schema.get("patternProperties"))
    paths: list[tuple[str, ...]] = [("patternProperties", pattern) for pattern in patterns if _may_match(pattern, name)]
    if name in _as_dict(schema.get("properties")):
        paths.append(("properties", name))
    return [*paths, ("unevaluatedProperties",)] if paths else _OTHER_PATHS


def _pattern_paths(schema: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the ways to a field that some patterns match; which of them do together can't be told."""
    patterns = _as_dict(schema.get("patternProperties"))
    return [*(("patternProperties", pattern) for pattern in patterns), ("unevaluatedProperties",)] if patterns else []


def _item_paths(schema: dict[str, Any], index: int) -> list[tuple[str | int, ...]]:
    own: tuple[str | int, ...] = ("items",)
    if index < len(_as_list(schema.get("prefixItems"))):
        own = ("prefixItems", index)
    return [own, ("contains",), ("unevaluatedItems",)]


def _may_match(pattern: str, name: str) -> bool:
    try:
        return re2.search(pattern, name) is not None
    except re2.error:
        return True


def _pattern_count(document: Document, pointer: str) -> int:
    return len(_as_dict(document.schema_at(pointer).get("patternProperties")))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
