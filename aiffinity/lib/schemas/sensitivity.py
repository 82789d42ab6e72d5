"""Marks of sensitive fields: the keyword `x-sensitivity` of a schema (spec 3)."""

from typing import Any

from aiffinity.lib.schemas.structure import subschemas

SENSITIVITY_KEYWORD = "x-sensitivity"
# From least to most; financial, health and credential ask for the same tier.
SENSITIVITY_LEVELS = ("none", "personal", "financial", "health", "credential")


def sensitivities(schema: Any) -> dict[str, str]:
    """Map the JSON Pointer of each marked subschema to its level; unknown levels are left to check_schema."""
    marks = (
        (node.pointer, node.schema[SENSITIVITY_KEYWORD])
        for node in subschemas(schema)
        if isinstance(node.schema, dict) and SENSITIVITY_KEYWORD in node.schema
    )
    return {pointer: level for pointer, level in marks if level in SENSITIVITY_LEVELS}


def highest_sensitivity(schema: Any) -> str:
    """Return the highest level that a schema marks, "none" where it marks nothing."""
    return max(sensitivities(schema).values(), key=SENSITIVITY_LEVELS.index, default=SENSITIVITY_LEVELS[0])
