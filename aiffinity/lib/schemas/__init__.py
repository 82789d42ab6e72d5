"""JSON Schema 2020-12 for everybody: checks at the door, bounded validation, sensitivity marks, examples."""

from aiffinity.lib.schemas.checks import MAX_PROPERTIES, MAX_SCHEMA_BYTES, check_schema
from aiffinity.lib.schemas.examples import ExampleError, example_for
from aiffinity.lib.schemas.faults import SchemaFault, child_pointer, pointer_segments
from aiffinity.lib.schemas.sensitivity import (
    SENSITIVITY_KEYWORD,
    SENSITIVITY_LEVELS,
    highest_sensitivity,
    sensitivities,
)
from aiffinity.lib.schemas.structure import DIALECT, MAX_SUBSCHEMA_DEPTH, array_of, subschemas
from aiffinity.lib.schemas.validation import CompiledSchema, compiled, validate

__all__ = [
    "DIALECT",
    "MAX_PROPERTIES",
    "MAX_SCHEMA_BYTES",
    "MAX_SUBSCHEMA_DEPTH",
    "SENSITIVITY_KEYWORD",
    "SENSITIVITY_LEVELS",
    "CompiledSchema",
    "ExampleError",
    "SchemaFault",
    "array_of",
    "check_schema",
    "child_pointer",
    "compiled",
    "example_for",
    "highest_sensitivity",
    "pointer_segments",
    "sensitivities",
    "subschemas",
    "validate",
]
