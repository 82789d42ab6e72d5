"""What a provider's schema must be before it is stored (spec 3, "Schemas"). Nothing is ever fetched."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import re2

from aiffinity.lib.canonical import canonical_json
from aiffinity.lib.schemas.faults import SchemaFault, child_pointer
from aiffinity.lib.schemas.finiteness import finiteness_faults
from aiffinity.lib.schemas.messages import describe_errors
from aiffinity.lib.schemas.recursion import recursion_faults
from aiffinity.lib.schemas.sensitivity import SENSITIVITY_KEYWORD, SENSITIVITY_LEVELS
from aiffinity.lib.schemas.structure import DIALECT, MAX_SUBSCHEMA_DEPTH, Document, Subschema, references

MAX_SCHEMA_BYTES = 64 * 1024
MAX_PROPERTIES = 500
MAX_JSON_DEPTH = 64
MAX_PATTERNS = 100
# Counted in instructions of the compiled programs: bounds the memory for the patterns of one schema to 20 MB.
MAX_PATTERN_PROGRAM = 250_000

_METASCHEMA = jsonschema_rs.Draft202012Validator({"$ref": DIALECT}, offline=True)


def check_schema(schema: Any) -> list[SchemaFault]:
    """Return every fault of a schema as it came in, an empty list for a good one.

    Pointers lead into the schema. Never raises, whatever JSON value comes.
    """
    if not isinstance(schema, dict):
        return [SchemaFault("", "not_an_object", "A schema must be a JSON object.")]
    faults = _size_faults(schema)
    if faults:
        return faults
    faults = list(describe_errors(_METASCHEMA.iter_errors(schema), in_schema=True))
    document = Document(schema)
    for node in document.nodes.values():
        faults += _node_faults(node, document)
    faults += [*_count_faults(document), *_pattern_faults(document)]
    faults += recursion_faults(document) or finiteness_faults(document)
    return _unique(faults) or _compile_faults(schema)


def _size_faults(schema: dict[str, Any]) -> list[SchemaFault]:
    if _is_deeper_than(schema, MAX_JSON_DEPTH):
        message = f"The schema nests JSON deeper than {MAX_JSON_DEPTH} levels. Make it flatter."
        return [SchemaFault("", "too_deep", message)]
    try:
        size = len(canonical_json(schema))
    except ValueError as error:
        return [SchemaFault("", "not_json", f"The schema isn't JSON: {error}")]
    if size > MAX_SCHEMA_BYTES:
        message = f"The schema has {size} bytes as compact JSON, {MAX_SCHEMA_BYTES} are allowed. Split or shorten it."
        return [SchemaFault("", "too_large", message)]
    return []


def _is_deeper_than(value: Any, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit + 1):
        level = [item for parent in level for item in _items(parent)]
        if not level:
            return False
    return True


def _items(value: Any) -> list[Any]:
    found = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in found if isinstance(item, dict | list)]


def _node_faults(node: Subschema, document: Document) -> Iterator[SchemaFault]:
    if node.depth == MAX_SUBSCHEMA_DEPTH + 1:
        message = f"Subschemas may be nested {MAX_SUBSCHEMA_DEPTH} deep. Move this one under $defs and refer to it."
        yield SchemaFault(node.pointer, "too_deep", message)
    if not isinstance(node.schema, dict):
        return
    yield from _identity_faults(node)
    yield from _sensitivity_faults(node)
    for keyword, reference in references(node.schema):
        yield from _reference_faults(child_pointer(node.pointer, keyword), reference, document)


def _identity_faults(node: Subschema) -> Iterator[SchemaFault]:
    dialect = node.schema.get("$schema", DIALECT)
    if dialect not in (DIALECT, f"{DIALECT}#"):
        message = f'Only JSON Schema 2020-12 is supported. Leave $schema out or write "{DIALECT}".'
        yield SchemaFault(child_pointer(node.pointer, "$schema"), "unsupported_dialect", message)
    if "$id" in node.schema and node.pointer:
        message = "An $id below the root isn't supported. Leave it out and refer to this place by its JSON Pointer."
        yield SchemaFault(child_pointer(node.pointer, "$id"), "unsupported_id", message)


def _sensitivity_faults(node: Subschema) -> Iterator[SchemaFault]:
    level = node.schema.get(SENSITIVITY_KEYWORD, SENSITIVITY_LEVELS[0])
    if level not in SENSITIVITY_LEVELS:
        message = f"{SENSITIVITY_KEYWORD} must be one of {', '.join(SENSITIVITY_LEVELS)}."
        yield SchemaFault(child_pointer(node.pointer, SENSITIVITY_KEYWORD), "unknown_sensitivity", message)


def _reference_faults(pointer: str, reference: str, document: Document) -> Iterator[SchemaFault]:
    if not reference.startswith("#"):
        message = "References to other documents are never fetched. Copy the schema under $defs and refer to #/$defs/…"
        yield SchemaFault(pointer, "remote_reference", message)
    elif document.target_of(reference) is None:
        message = "There is no schema at this reference. Refer to one under $defs, for example #/$defs/name."
        yield SchemaFault(pointer, "unresolvable_reference", message)


def _count_faults(document: Document) -> Iterator[SchemaFault]:
    maps = (node.schema.get("properties") for node in document.nodes.values() if isinstance(node.schema, dict))
    count = sum(len(properties) for properties in maps if isinstance(properties, dict))
    if count > MAX_PROPERTIES:
        message = f"The schema names {count} properties, {MAX_PROPERTIES} are allowed. Leave out what nobody shows."
        yield SchemaFault("", "too_many_properties", message)


def _pattern_faults(document: Document) -> list[SchemaFault]:
    faults: list[SchemaFault] = []
    count = program_size = 0
    for pointer, pattern in _patterns(document):
        count += 1
        size = _program_size(pattern) if count <= MAX_PATTERNS and program_size <= MAX_PATTERN_PROGRAM else 0
        program_size += size or 0
        if size is None:
            message = (
                "This pattern can't run in linear time. Write it without look-around, backreferences and "
                "possessive quantifiers, and with smaller repetitions."
            )
            faults.append(SchemaFault(pointer, "unsupported_pattern", message))
    if count > MAX_PATTERNS or program_size > MAX_PATTERN_PROGRAM:
        message = f"The patterns take too much together. Use at most {MAX_PATTERNS}, with smaller repetitions."
        faults.append(SchemaFault("", "too_many_patterns", message))
    return faults


def _patterns(document: Document) -> Iterator[tuple[str, str]]:
    for node in document.nodes.values():
        if not isinstance(node.schema, dict):
            continue
        if isinstance(node.schema.get("pattern"), str):
            yield child_pointer(node.pointer, "pattern"), node.schema["pattern"]
        by_pattern = node.schema.get("patternProperties")
        for pattern in by_pattern if isinstance(by_pattern, dict) else ():
            yield child_pointer(node.pointer, "patternProperties", pattern), pattern


def _program_size(pattern: str) -> int | None:
    """Return the size of the compiled pattern, None where a linear-time engine refuses it.

    Both engines must take it: RE2 as the published rule, and the validator's, which runs it.
    """
    options = re2.Options()
    options.log_errors = False
    try:
        size: int = re2.compile(pattern, options).programsize
        jsonschema_rs.Draft202012Validator(
            {"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions(), offline=True
        )
    except (re2.error, jsonschema_rs.ValidationError):
        return None
    return size


def _compile_faults(schema: dict[str, Any]) -> list[SchemaFault]:
    """Ask the validator itself last, for anything that the checks above don't know."""
    try:
        jsonschema_rs.Draft202012Validator(
            schema, validate_formats=True, pattern_options=jsonschema_rs.RegexOptions(), offline=True
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        message = f"The validator can't use this schema: {str(error).splitlines()[0]}"
        return [SchemaFault("", "unsupported_schema", message)]
    return []


def _unique(faults: list[SchemaFault]) -> list[SchemaFault]:
    """Keep the first fault of each place and code, in the order of their places."""
    first: dict[tuple[str, str], SchemaFault] = {}
    for fault in faults:
        first.setdefault((fault.pointer, fault.code), fault)
    return sorted(first.values(), key=lambda fault: fault.pointer)
