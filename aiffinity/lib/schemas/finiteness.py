"""Subschemas that only an infinite value could satisfy."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any, Literal

from aiffinity.lib.schemas.faults import SchemaFault, child_pointer
from aiffinity.lib.schemas.structure import Document

Kind = Literal["scalar", "object", "array"]
State = tuple[str, Kind]
KINDS: tuple[Kind, ...] = ("scalar", "object", "array")


def finiteness_faults(document: Document) -> list[SchemaFault]:
    """Return one fault for the first subschema whose every value would be infinite (see recursion.py)."""
    if not any(document.targets(pointer) for pointer in document.nodes):
        return []
    finite = _fixed_point(document, start=False)
    any_size = _fixed_point(document, start=True)
    for pointer in document.nodes:
        if any(any_size[pointer, kind] for kind in KINDS) and not any(finite[pointer, kind] for kind in KINDS):
            message = "Only an infinite value could satisfy this schema. Make the field that leads back to it optional."
            return [SchemaFault(pointer, "endless_recursion", message)]
    return []


def _fixed_point(document: Document, *, start: bool) -> dict[State, bool]:
    """Return the least (start False) or greatest (start True) solution of "a value of this kind exists"."""
    solution: dict[State, bool] = {(pointer, kind): start for pointer in document.nodes for kind in KINDS}
    dependents: dict[str, set[str]] = defaultdict(set)
    for pointer in document.nodes:
        for used in [*document.targets(pointer), *_child_pointers(document, pointer)]:
            dependents[used].add(pointer)
    pending = deque(document.nodes)
    queued = set(pending)
    while pending:
        pointer = pending.popleft()
        queued.discard(pointer)
        for kind in KINDS:
            state = (pointer, kind)
            if solution[state] == start and _has_value(document, state, solution) != start:
                solution[state] = not start
                woken = dependents[pointer] - queued
                pending.extend(woken)
                queued |= woken
    return solution


def _child_pointers(document: Document, pointer: str) -> Iterable[str]:
    schema = document.schema_at(pointer)
    if not isinstance(schema, dict):
        return []
    paths: list[tuple[str | int, ...]] = [("items",), ("contains",), ("additionalProperties",)]
    paths += [("properties", name) for name in _dict_of(schema, "properties")]
    for keyword in ("allOf", "anyOf", "oneOf", "prefixItems"):
        paths += [(keyword, index) for index in range(len(_list_of(schema, keyword)))]
    return [child_pointer(pointer, *path) for path in paths]


def _has_value(document: Document, state: State, solution: dict[State, bool]) -> bool:
    pointer, kind = state
    schema = document.schema_at(pointer)
    if not isinstance(schema, dict):
        return True
    if not _is_kind_allowed(schema, kind):
        return False

    def holds(*path: str | int) -> bool:
        return solution.get((child_pointer(pointer, *path), kind), True)

    branches = (
        all(solution[target, kind] for target in document.targets(pointer)),
        all(holds("allOf", index) for index in range(len(_list_of(schema, "allOf")))),
        *(
            any(holds(keyword, index) for index in range(len(_list_of(schema, keyword))))
            for keyword in ("anyOf", "oneOf")
            if _list_of(schema, keyword)
        ),
    )

    def exists(*path: str | int) -> bool:
        return any(solution.get((child_pointer(pointer, *path), child_kind), True) for child_kind in KINDS)

    return all(branches) and _has_children(schema, kind, exists)


def _has_children(schema: dict[str, Any], kind: Kind, exists: Callable[..., bool]) -> bool:
    if kind == "object":
        properties = _dict_of(schema, "properties")
        required = [name for name in _list_of(schema, "required") if isinstance(name, str)]
        return all(
            exists("properties", name) if name in properties else exists("additionalProperties") for name in required
        )
    if kind == "array":
        least = schema.get("minItems", 0)
        least = least if isinstance(least, int) else 0
        prefix = len(_list_of(schema, "prefixItems"))
        needs_contained = "contains" in schema and schema.get("minContains", 1) != 0
        return (
            all(exists("prefixItems", index) for index in range(min(least, prefix)))
            and (least <= prefix or exists("items"))
            and (not needs_contained or exists("contains"))
        )
    return True


def _is_kind_allowed(schema: dict[str, Any], kind: Kind) -> bool:
    types = schema.get("type")
    if isinstance(types, str):
        types = [types]
    if isinstance(types, list) and kind not in {_kind_of_type(name) for name in types}:
        return False
    options = [schema["const"]] if "const" in schema else schema.get("enum")
    return not isinstance(options, list) or kind in {_kind_of_value(option) for option in options}


def _kind_of_type(name: Any) -> Kind:
    if name == "object":
        return "object"
    return "array" if name == "array" else "scalar"


def _kind_of_value(value: Any) -> Kind:
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "scalar"


def _list_of(schema: dict[str, Any], keyword: str) -> list[Any]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []


def _dict_of(schema: dict[str, Any], keyword: str) -> dict[str, Any]:
    value = schema.get(keyword)
    return value if isinstance(value, dict) else {}
