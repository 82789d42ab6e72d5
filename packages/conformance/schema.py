"""Dimension schema: valid, bounded, typed, described, with examples that hold (spec 3)."""

from collections.abc import Iterator
from typing import Any

from aiffinity.lib.schemas import check_schema, child_pointer, subschemas, validate
from packages.conformance.registry import Finding, capability_check, failed, judge, not_applicable, passed
from packages.conformance.schema_extent import admits_everything, admits_nothing
from runtime.descriptors import answer_schema, input_schema, output_schema

Descriptor = dict[str, Any]


def sides_of(capability: Descriptor) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (pointer in the descriptor, schema) for each schema that a capability was given."""
    schema = capability["schema"]
    if not {"input", "output"} & schema.keys():
        yield "/schema", schema
        return
    for side in ("input", "output"):
        if side in schema:
            yield f"/schema/{side}", schema[side]


def _properties(capability: Descriptor) -> Iterator[tuple[str, Any]]:
    for pointer, schema in sides_of(capability):
        for node in subschemas(schema):
            properties = node.schema.get("properties", {}) if isinstance(node.schema, dict) else {}
            for name, item in properties.items():
                yield f"{pointer}{child_pointer(node.pointer, 'properties', name)}", item


@capability_check("schema", weight=3)
def schemas_valid(case: object, capability: Descriptor) -> Finding:
    """Every schema is JSON Schema 2020-12 within the platform's limits."""
    for pointer, schema in sides_of(capability):
        for fault in check_schema(schema):
            return failed(fault.message, f"{pointer}{fault.pointer}")
    return passed("Every schema is valid and within the limits.")


@capability_check("schema", weight=3, is_blocking=True)
def answer_is_constrained(case: object, capability: Descriptor) -> Finding:
    """The answer's schema neither admits everything nor nothing."""
    schema = output_schema(capability)
    if admits_nothing(schema):
        return failed("No answer can satisfy this schema. Correct what contradicts itself.", "/schema")
    if admits_everything(schema):
        return failed("This schema takes any answer. Give it a type and its properties.", "/schema")
    return passed("The schema says what an answer looks like.")


@capability_check("schema", weight=2)
def properties_typed(case: object, capability: Descriptor) -> Finding:
    """Every property says its type."""
    typing = {"type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf"}
    for pointer, schema in _properties(capability):
        if not isinstance(schema, dict) or not typing & schema.keys():
            return failed("This property takes any value. Give it a type.", pointer)
    return passed("Every property has a type.")


@capability_check("schema", weight=1)
def required_fields_named(case: object, capability: Descriptor) -> Finding:
    """Objects say which of their properties are always there."""
    for pointer, schema in sides_of(capability):
        if schema.get("properties") and not schema.get("required"):
            return failed("Name the properties that are always there in `required`.", pointer)
    return passed("Every schema with properties names those that are required.")


@capability_check("schema", weight=1)
def properties_described(case: object, capability: Descriptor) -> Finding:
    """Properties carry a description for those who build surfaces from them."""
    for pointer, schema in _properties(capability):
        if isinstance(schema, dict) and not {"description", "title", "$ref"} & schema.keys():
            return failed("Describe what this property holds, in `description`.", pointer)
    return passed("Every property is described.")


@capability_check("schema", weight=1)
def arrays_bounded(case: object, capability: Descriptor) -> Finding:
    """Arrays say what their items are and how many there may be."""
    for pointer, schema in sides_of(capability):
        for node in subschemas(schema):
            is_array = isinstance(node.schema, dict) and node.schema.get("type") == "array"
            if is_array and not {"items", "maxItems"} <= node.schema.keys():
                return failed("Give this array `items` and `maxItems`.", f"{pointer}{node.pointer}")
    return passed("Every array is bounded.")


@capability_check("schema", weight=2)
def examples_valid(case: object, capability: Descriptor) -> Finding:
    """Examples hold against the schemas that they illustrate."""
    examples = capability.get("examples", ())
    if not examples:
        return not_applicable("The capability has no examples.")
    for index, example in enumerate(examples):
        for name, schema in (("params", input_schema(capability)), ("data", answer_schema(capability))):
            faults = validate(schema, example[name]) if name in example else []
            if faults:
                pointer = f"/examples/{index}/{name}{faults[0].pointer}"
                return failed(f"The example {faults[0].message} Correct it, or the schema.", pointer)
    return judge(is_good=True, good="Every example is valid.", bad="")
