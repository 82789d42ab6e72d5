"""Where subschemas stand inside a JSON Schema 2020-12 document, and where its local references lead."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from aiffinity.lib.schemas.faults import child_pointer

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_SUBSCHEMA_DEPTH = 16

SINGLE_KEYWORDS = frozenset(
    {
        "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then",
        "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
LIST_KEYWORDS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
MAP_KEYWORDS = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
REFERENCE_KEYWORDS = ("$ref", "$dynamicRef")


@dataclass(frozen=True, slots=True)
class Subschema:
    """One subschema: its JSON Pointer in the document, the object or boolean itself, its depth (root: 0)."""

    pointer: str
    schema: Any
    depth: int


def children(schema: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the direct subschemas as (path of one or two segments, subschema); junk is skipped."""
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        if keyword in SINGLE_KEYWORDS and isinstance(value, dict | bool):
            yield (keyword,), value
        elif keyword in LIST_KEYWORDS and isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict | bool):
                    yield (keyword, index), item
        elif keyword in MAP_KEYWORDS and isinstance(value, dict):
            for name, item in value.items():
                if isinstance(item, dict | bool):
                    yield (keyword, name), item


def subschemas(root: Any) -> Iterator[Subschema]:
    """Yield the root and all subschemas in document order, to one level past the greatest allowed depth."""
    pending = [Subschema("", root, 0)]
    while pending:
        current = pending.pop()
        yield current
        if current.depth <= MAX_SUBSCHEMA_DEPTH:
            found = [
                Subschema(child_pointer(current.pointer, *path), item, current.depth + 1)
                for path, item in children(current.schema)
            ]
            pending.extend(reversed(found))


def references(schema: Any) -> Iterator[tuple[str, str]]:
    """Yield (keyword, reference) for each `$ref` and `$dynamicRef` of this very subschema."""
    if isinstance(schema, dict):
        for keyword in REFERENCE_KEYWORDS:
            if isinstance(schema.get(keyword), str):
                yield keyword, schema[keyword]


class Document:
    """A schema with its subschemas by pointer and its anchors by name; an `$id` below the root is ignored."""

    def __init__(self, root: Any) -> None:
        self.nodes = {node.pointer: node for node in subschemas(root)}
        self.anchors: dict[str, str] = {}
        for node in self.nodes.values():
            for keyword in ("$anchor", "$dynamicAnchor"):
                name = node.schema.get(keyword) if isinstance(node.schema, dict) else None
                if isinstance(name, str):
                    self.anchors.setdefault(name, node.pointer)

    def schema_at(self, pointer: str) -> Any:
        """Return the object or boolean that stands at a pointer of `nodes`."""
        return self.nodes[pointer].schema

    def target_of(self, reference: str) -> str | None:
        """Return the pointer of the subschema that a local reference names, None if there is none."""
        if not reference.startswith("#"):
            return None
        fragment = unquote(reference[1:])
        if fragment and not fragment.startswith("/"):
            return self.anchors.get(fragment)
        return fragment if fragment in self.nodes else None

    def targets(self, pointer: str) -> list[str]:
        """Return the pointers of the subschemas that the references of one subschema name."""
        found = (self.target_of(reference) for _, reference in references(self.schema_at(pointer)))
        return [target for target in found if target is not None]


def array_of(item: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an array whose items follow `item`; local references lead where they led."""
    return {
        "type": "array",
        "items": {"$ref": "#/$defs/item"},
        "$defs": {"item": _rebased(item, "/$defs/item")},
    }


def _rebased(schema: Any, prefix: str) -> Any:
    """Copy a schema with its pointer references put under a prefix; anchors are found wherever they stand."""
    if not isinstance(schema, dict):
        return schema
    copy = dict(schema)
    for keyword in ("$schema", "$id"):
        copy.pop(keyword, None)
    for keyword, reference in references(schema):
        if reference == "#" or reference.startswith("#/"):
            copy[keyword] = f"#{prefix}{reference[1:]}"
    for path, item in children(schema):
        moved = _rebased(item, prefix)
        if len(path) == 1:
            copy[str(path[0])] = moved
            continue
        keyword, key = str(path[0]), path[1]
        if copy[keyword] is schema[keyword]:
            copy[keyword] = schema[keyword].copy()
        copy[keyword][key] = moved
    return copy
