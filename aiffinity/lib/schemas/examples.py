"""A small value that satisfies a schema, the same one every time: parameters for calls without examples."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from aiffinity.lib.canonical import canonical_json
from aiffinity.lib.schemas.example_values import number_candidates, string_candidates
from aiffinity.lib.schemas.merging import merge_schemas
from aiffinity.lib.schemas.structure import Document, children
from aiffinity.lib.schemas.validation import compiled

MAX_ATTEMPTS = 1_000
MAX_EXAMPLE_DEPTH = 32
MAX_EXAMPLE_ITEMS = 200

_ROOT_URI = "urn:aiffinity:schema"
_TYPE_ORDER = ("object", "array", "string", "integer", "number", "boolean", "null")
_OBJECT_KEYWORDS = frozenset(
    {"properties", "required", "minProperties", "patternProperties", "additionalProperties", "dependentRequired",
     "dependentSchemas", "propertyNames"}
)  # fmt: skip
_ARRAY_KEYWORDS = frozenset({"items", "prefixItems", "minItems", "contains", "uniqueItems"})
_STRING_KEYWORDS = frozenset({"minLength", "maxLength", "pattern", "format"})
_NUMBER_KEYWORDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})


class ExampleError(ValueError):
    """No example could be made for a schema."""


def example_for(schema: dict[str, Any]) -> Any:
    """Return a small value that is valid against a checked schema; optional fields are left out.

    `examples`, `default`, `const` and `enum` come first, then what types, bounds and formats allow. Raises
    ExampleError where it finds none, and ValueError for a schema that check_schema refuses.
    """
    judge = compiled(schema)
    # The canonical form writes a length such as 3.0, which JSON Schema allows, as an integer.
    plain = json.loads(canonical_json(schema))
    for candidate in _Builder(plain).candidates(plain, 0):
        if judge.is_valid(candidate):
            return candidate
    message = "No value could be made that satisfies the schema. Give one in its examples."
    raise ExampleError(message)


class _Builder:
    """Builds candidates for the subschemas of one document, within a budget of attempts."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.document = Document(root)
        self.registry = jsonschema_rs.Registry([(_ROOT_URI, {**root, "$id": _ROOT_URI})])
        self.attempts_left = MAX_ATTEMPTS

    def first(self, schema: Any, depth: int, skip: int = 0) -> Any:
        """Return the first valid candidate, or the one after `skip` others for lists of different items."""
        seen: list[bytes] = []
        judge = self.judge_of(schema)
        for candidate in self.candidates(schema, depth):
            identity = canonical_json(candidate)
            if identity not in seen and judge.is_valid(candidate):
                if len(seen) == skip:
                    return candidate
                seen.append(identity)
        message = "A part of the schema allows no value that could be guessed. Give one in its examples."
        raise ExampleError(message)

    def judge_of(self, schema: Any) -> jsonschema_rs.Draft202012Validator:
        """Return a validator of a part of the document, or of a part that was put together from several."""
        return jsonschema_rs.Draft202012Validator(
            _with_absolute_references(schema) if isinstance(schema, dict) else schema,
            registry=self.registry,
            validate_formats=True,
            pattern_options=jsonschema_rs.RegexOptions(),
            offline=True,
        )

    def spend_attempt(self, depth: int) -> None:
        """Count an attempt. Raises ExampleError past the budget or too deep inside the schema."""
        self.attempts_left -= 1
        if self.attempts_left < 0 or depth > MAX_EXAMPLE_DEPTH:
            message = "The schema is too involved for a generated example. Give one in its examples."
            raise ExampleError(message)

    def candidates(self, schema: Any, depth: int) -> Iterator[Any]:
        """Yield values that may satisfy a subschema, best first; raises ExampleError past the budget."""
        self.spend_attempt(depth)
        if not isinstance(schema, dict):
            yield from ({}, "text", 0)
            return
        flat = self.flattened(schema)
        yield from _given_values(flat)
        for variant in self.variants(flat, depth):
            for name in _likely_types(variant):
                yield from self.typed_candidates(name, variant, depth)

    def flattened(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Fold references and allOf into one object of keywords; each is followed once."""
        flat: dict[str, Any] = {}
        pending: list[Any] = [schema]
        followed: set[str] = set()
        while pending:
            current = pending.pop(0)
            if not isinstance(current, dict):
                continue
            flat = merge_schemas(flat, {key: current[key] for key in current if key not in {"$ref", "allOf"}})
            for keyword in ("$ref", "$dynamicRef"):
                target = self.document.target_of(current[keyword]) if keyword in current else None
                if target is not None and target not in followed:
                    followed.add(target)
                    pending.append(self.document.schema_at(target))
            pending.extend(current.get("allOf", []))
        return flat

    def variants(self, flat: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
        """Yield the keywords merged with one choice of anyOf, of oneOf and of if/then/else each."""
        self.spend_attempt(depth)
        for keyword in ("oneOf", "anyOf"):
            if keyword in flat:
                base = {key: value for key, value in flat.items() if key != keyword}
                for branch in sorted(flat[keyword], key=_is_reference):
                    if isinstance(branch, dict):
                        yield from self.variants(self.flattened({"allOf": [base, branch]}), depth + 1)
                return
        if "if" in flat:
            base = {key: value for key, value in flat.items() if key not in {"if", "then", "else"}}
            for branches in ([flat["if"], flat.get("then", True)], [flat.get("else", True)]):
                yield from self.variants(self.flattened({"allOf": [base, *branches]}), depth + 1)
            return
        yield flat

    def typed_candidates(self, name: str, flat: dict[str, Any], depth: int) -> Iterator[Any]:
        yield from _given_values(flat)
        if name == "object":
            yield self.object_for(flat, depth)
        elif name == "array":
            yield self.array_for(flat, depth)
        elif name == "string":
            yield from string_candidates(flat)
        elif name in {"integer", "number"}:
            yield from number_candidates(flat, is_integer=name == "integer")
        else:
            yield from (None,) if name == "null" else (False, True)

    def object_for(self, flat: dict[str, Any], depth: int) -> dict[str, Any]:
        properties: dict[str, Any] = flat.get("properties", {})
        names = list(dict.fromkeys(flat.get("required", [])))
        for name in names:
            needed = flat.get("dependentRequired", {}).get(name, [])
            names.extend(other for other in needed if other not in names)
            extra = flat.get("dependentSchemas", {}).get(name)
            if isinstance(extra, dict):
                without = {key: value for key, value in flat.items() if key != "dependentSchemas"}
                return self.object_for(self.flattened({"allOf": [without, extra]}), depth)
        optional = [name for name in properties if name not in names and properties[name] is not False]
        names += optional[: max(0, flat.get("minProperties", 0) - len(names))]
        built = {name: self.first(self.field_schema(flat, name), depth + 1) for name in names}
        filler = 1
        while len(built) < min(flat.get("minProperties", 0), MAX_EXAMPLE_ITEMS):
            name = f"field_{filler}"
            built.setdefault(name, self.first(self.field_schema(flat, name), depth + 1))
            filler += 1
        return built

    def field_schema(self, flat: dict[str, Any], name: str) -> Any:
        if name in flat.get("properties", {}):
            return flat["properties"][name]
        return flat.get("additionalProperties", True)

    def array_for(self, flat: dict[str, Any], depth: int) -> list[Any]:
        prefix: list[Any] = flat.get("prefixItems", [])
        least_contained = flat.get("minContains", 1) if "contains" in flat else 0
        length = min(max(flat.get("minItems", 0), least_contained), MAX_EXAMPLE_ITEMS)
        built: list[Any] = []
        for index in range(length):
            item = prefix[index] if index < len(prefix) else flat.get("items", True)
            if index < least_contained and isinstance(item, dict | bool):
                item = {"allOf": [item, flat["contains"]]}
            twins = 0
            if flat.get("uniqueItems"):
                judge = self.judge_of(item)
                twins = sum(judge.is_valid(other) for other in built)
            built.append(self.first(item, depth + 1, skip=twins))
        return built


def _given_values(flat: dict[str, Any]) -> Iterator[Any]:
    yield from flat.get("examples", [])
    for keyword in ("default", "const"):
        if keyword in flat:
            yield flat[keyword]
    yield from flat.get("enum", [])


def _likely_types(flat: dict[str, Any]) -> list[str]:
    types = flat.get("type")
    if types is not None:
        given = [types] if isinstance(types, str) else types
        return [name for name in _TYPE_ORDER if name in given]
    hints = (
        ("object", _OBJECT_KEYWORDS),
        ("array", _ARRAY_KEYWORDS),
        ("string", _STRING_KEYWORDS),
        ("number", _NUMBER_KEYWORDS),
    )
    hinted = [name for name, keywords in hints if not keywords.isdisjoint(flat)]
    return [*hinted, *(name for name in _TYPE_ORDER if name not in hinted)]


def _is_reference(branch: Any) -> bool:
    """Put branches that lead elsewhere, perhaps back here, behind the others."""
    return isinstance(branch, dict) and (
        "$ref" in branch or any("$ref" in item for _, item in children(branch) if isinstance(item, dict))
    )


def _with_absolute_references(schema: dict[str, Any]) -> dict[str, Any]:
    """Copy a part of a document so that its references lead into the whole document."""
    copy: dict[str, Any] = {key: value for key, value in schema.items() if key not in {"$id", "$schema", "$dynamicRef"}}
    for keyword in ("$ref", "$dynamicRef"):
        if keyword in schema:
            reference = schema[keyword]
            copy["$ref"] = f"{_ROOT_URI}{reference}" if reference.startswith("#") else reference
    for path, item in children(schema):
        if not isinstance(item, dict):
            continue
        keyword, moved = str(path[0]), _with_absolute_references(item)
        if len(path) == 1:
            copy[keyword] = moved
            continue
        if copy[keyword] is schema[keyword]:
            copy[keyword] = schema[keyword].copy()
        copy[keyword][path[1]] = moved
    return copy
