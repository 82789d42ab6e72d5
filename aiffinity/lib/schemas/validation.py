"""Judging a value by a schema: compiled once, kept, bounded in time and memory, fetching nothing."""

import json
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError
from itertools import islice
from typing import Any

import jsonschema_rs

from aiffinity.lib.canonical import canonical_json
from aiffinity.lib.schemas.faults import SchemaFault
from aiffinity.lib.schemas.messages import describe_errors
from aiffinity.lib.schemas.recursion import MAX_EVALUATIONS_PER_VALUE, TooCostlyError, evaluations_per_value
from aiffinity.lib.schemas.structure import Document

MAX_COMPILED_SCHEMAS = 256
# Judgements of one value by one subschema take about 0.1 µs each: this bounds a validation to about a second.
MAX_EVALUATIONS = 10_000_000
# An explanation keeps an object for each fault, so only small values are explained in full.
MAX_EXPLAINED_EVALUATIONS = 50_000

Validator = jsonschema_rs.Draft202012Validator


@dataclass(frozen=True, slots=True)
class CompiledSchema:
    """A schema ready to judge values; `evaluations_per_value` is the bound of recursion.py."""

    validator: Validator
    evaluations_per_value: int
    has_branches: bool

    def is_valid(self, instance: Any) -> bool:
        """Say whether a JSON value satisfies the schema; raises ValueError for what JSON can't hold."""
        return self.validator.is_valid(instance)


def compiled(schema: dict[str, Any]) -> CompiledSchema:
    """Return the compiled form of a checked schema, from a cache of the last 256.

    JSON Schema 2020-12, formats asserted, patterns in linear time, no retrieval. Raises ValueError for a
    schema that check_schema refuses.
    """
    return _compile(canonical_json(schema))


def validate(schema: dict[str, Any], instance: Any, *, max_faults: int = 20) -> list[SchemaFault]:
    """Return what is wrong with a value, at most `max_faults`, an empty list for a good one.

    Pointers lead into the value. No message repeats a value, marked as sensitive or not. A value too large
    to be judged within about a second is a fault of its own. Raises ValueError for a schema that
    check_schema refuses.
    """
    judge = compiled(schema)
    work = _count_values(instance) * judge.evaluations_per_value
    if work > MAX_EVALUATIONS:
        return [SchemaFault("", "too_costly", "is too large to be checked against this schema. Send fewer items.")]
    try:
        if judge.is_valid(instance):
            return []
    except ValueError:
        return [SchemaFault("", "not_json", "holds something that JSON can't express.")]
    return _explain(judge, instance, work)[:max_faults]


def _explain(judge: CompiledSchema, instance: Any, work: int) -> list[SchemaFault]:
    if work <= MAX_EXPLAINED_EVALUATIONS:
        return list(describe_errors(judge.validator.iter_errors(instance), in_schema=False))
    if not judge.has_branches:
        try:
            judge.validator.validate(instance)
        except jsonschema_rs.ValidationError as error:
            return list(islice(describe_errors([error], in_schema=False), 1))
    return [SchemaFault("", "invalid", "does not match the schema. It is too large to say where.")]


@lru_cache(maxsize=MAX_COMPILED_SCHEMAS)
def _compile(canonical: bytes) -> CompiledSchema:
    schema = json.loads(canonical)
    try:
        document = Document(schema)
        # A wrapper such as array_of may add a little to what check_schema has admitted.
        cost = evaluations_per_value(document, limit=2 * MAX_EVALUATIONS_PER_VALUE)
        validator = Validator(schema, validate_formats=True, pattern_options=jsonschema_rs.RegexOptions(), offline=True)
    except (
        jsonschema_rs.ValidationError,
        jsonschema_rs.ReferencingError,
        TooCostlyError,
        CycleError,
    ) as error:
        message = f"check_schema refuses this schema: {str(error).splitlines()[0]}"
        raise ValueError(message) from error
    has_branches = any(
        isinstance(node.schema, dict) and not node.schema.keys().isdisjoint({"anyOf", "oneOf"})
        for node in document.nodes.values()
    )
    return CompiledSchema(validator, cost, has_branches)


def _count_values(instance: Any) -> int:
    """Count the values inside a JSON value, the outermost included."""
    count, pending = 0, [instance]
    while pending:
        value = pending.pop()
        count += 1
        if isinstance(value, dict):
            count += len(value)
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return count
