"""The capability descriptor: what a template holds and a version freezes (spec 3, "Capability descriptor").

Names of fields come in snake_case or camelCase and leave in snake_case; inside schemas, params and data
nothing is renamed or changed. Check first, then normalise, then store.
"""

import copy
import re
from collections.abc import Iterable
from typing import Any, Final

from aiffinity.lib.schemas import (
    SchemaFault,
    array_of,
    check_schema,
    child_pointer,
    pointer_segments,
    subschemas,
)
from aiffinity.lib.texts import check_texts
from runtime.descriptor_fields import (
    DEFAULT_SIGNATURE_HEADER,
    FIELDS,
    MODES,
    DescriptorFault,
    Faults,
    guidance_fields,
    nearest,
    signature_header_problem,
)
from runtime.risk_tiers import default_risk_level, least_tier
from runtime.surface_guidance import COMPONENTS, INTENTS, PLACEMENTS

__all__ = [
    "DEFAULT_SIGNATURE_HEADER",
    "FIELD_NAMES",
    "MODES",
    "DescriptorFault",
    "answer_schema",
    "check_descriptor",
    "input_schema",
    "least_tier",
    "normalise_descriptor",
    "output_schema",
    "signature_header_problem",
]

GUIDANCE_FIELDS: Final = guidance_fields(
    {"intent": INTENTS, "placement": PLACEMENTS, "preferred_components": COMPONENTS}
)
FIELD_NAMES: Final = (*FIELDS, "schema", "surface_guidance")

_MODE_DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    "state": {"refresh_interval_seconds": 900},
    "action": {"confirmation_required": True},
    "history": {"max_items_per_page": 50},
    "realtime": {"protocol": "sse", "heartbeat_interval_seconds": 30},
    "webhook": {"signature_header": DEFAULT_SIGNATURE_HEADER},
}
_SIDES: Final = ("input", "output")
_SCHEMA_TEXT_KEYWORDS: Final = ("title", "description", "$comment", "enum", "const")
_PLAIN_SEGMENT: Final = re.compile(r"\A[A-Za-z_$][\w$-]*\Z")


def check_descriptor(value: Any) -> list[DescriptorFault]:
    """Return every fault of a descriptor as it came in, an empty list for a good one.

    A fault with a `pointer` is one of a schema (INVALID_SCHEMA). Never raises, whatever JSON value comes.
    """
    if not isinstance(value, dict):
        return [DescriptorFault("", "type", "A capability must be an object with name, mode, description and schema.")]
    mode = value.get("mode")
    given, faults = _known_fields(value, list(FIELD_NAMES), "")
    for name, field in FIELDS.items():
        if name in given and (mode in field.modes or mode not in MODES):
            faults += field.check(name, given[name])
        elif name in given:
            message = f"belongs to mode {' and '.join(field.modes)}, this capability has mode {mode}. Leave it out."
            faults.append(DescriptorFault(name, "wrong_mode", message))
        elif field.is_required and (mode in field.modes or field.modes == MODES):
            faults.append(DescriptorFault(name, "required", "is required."))
    if "surface_guidance" in given:
        faults += _guidance_faults(given["surface_guidance"])
    faults += _schema_faults(given, mode)
    return faults


def normalise_descriptor(value: dict[str, Any]) -> dict[str, Any]:
    """Return the canonical form of a descriptor that check_descriptor has found good.

    Names are in snake_case, defaults filled in; schema and examples are copied as they are. Normalising
    twice changes nothing.
    """
    given, _ = _known_fields(value, list(FIELD_NAMES), "")
    guidance, _ = _known_fields(given.get("surface_guidance", {}), list(GUIDANCE_FIELDS), "surface_guidance.")
    defaults = {
        "risk_level": default_risk_level(given["mode"]),
        "permissions": [],
        "examples": [],
        **_MODE_DEFAULTS[given["mode"]],
    }
    guidance = {"placement": [], "preferred_components": [], **guidance}
    return copy.deepcopy({**defaults, **given, "surface_guidance": guidance})


def input_schema(descriptor: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the params of a normalised descriptor; without one, any object will do."""
    schema: dict[str, Any] = descriptor["schema"]
    given: dict[str, Any] = schema.get("input", {"type": "object"}) if _is_pair(schema) else {"type": "object"}
    return given


def output_schema(descriptor: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an answer's data: of one item for history, of one event for realtime and webhook."""
    schema: dict[str, Any] = descriptor["schema"]
    given: dict[str, Any] = schema.get("output", {}) if _is_pair(schema) else schema
    return given


def answer_schema(descriptor: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the whole `data` of an answer: for history an array of items (decision 24)."""
    schema = output_schema(descriptor)
    return array_of(schema) if descriptor["mode"] == "history" else schema


def _known_fields(value: dict[str, Any], known: list[str], path: str) -> tuple[dict[str, Any], list[DescriptorFault]]:
    """Rename the fields to snake_case, and tell those that are unknown or given twice."""
    snake_of = {_camel_case(name): name for name in known} | {name: name for name in known}
    given: dict[str, Any] = {}
    faults = []
    for name, item in value.items():
        snake = snake_of.get(name)
        if snake is None:
            faults.append(DescriptorFault(f"{path}{name}", "unknown_field", f"is unknown. {nearest(name, known)}"))
        elif snake in given:
            faults.append(DescriptorFault(f"{path}{snake}", "duplicate", "is given in both casings. Leave one out."))
        else:
            given[snake] = item
    return given, faults


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _guidance_faults(guidance: Any) -> Faults:
    if not isinstance(guidance, dict):
        message = "must be an object with intent, placement and preferred_components."
        yield DescriptorFault("surface_guidance", "type", message)
        return
    given, faults = _known_fields(guidance, list(GUIDANCE_FIELDS), "surface_guidance.")
    yield from faults
    for name, item in given.items():
        yield from GUIDANCE_FIELDS[name].check(f"surface_guidance.{name}", item)


def _is_pair(schema: dict[str, Any]) -> bool:
    return not schema.keys().isdisjoint(_SIDES)


def _schema_faults(given: dict[str, Any], mode: Any) -> Faults:
    schema = given.get("schema")
    if not isinstance(schema, dict):
        message = "must be a JSON Schema object." if "schema" in given else "is required: a JSON Schema of the answer."
        yield DescriptorFault("schema", "type" if "schema" in given else "required", message, "")
    elif _is_pair(schema):
        yield from _pair_faults(schema, mode)
    elif mode == "action":
        message = 'of an action must be {"input": …, "output": …}: what it takes and what it answers.'
        yield DescriptorFault("schema", "required", message, "")
    else:
        yield from _one_schema_faults(schema, "")


def _pair_faults(schema: dict[str, Any], mode: Any) -> Faults:
    for name in sorted(schema.keys() - set(_SIDES)):
        message = "is unknown beside input and output. Move it into one of them."
        yield DescriptorFault(f"schema.{name}", "unknown_field", message, child_pointer("", name))
    needed = "input" if mode == "action" else "output"
    if needed not in schema:
        yield DescriptorFault(f"schema.{needed}", "required", f"is required for mode {mode}.", f"/{needed}")
    for side in _SIDES:
        if side in schema:
            yield from _one_schema_faults(schema[side], f"/{side}")
    given_types = schema["input"].get("type", "object") if isinstance(schema.get("input"), dict) else "object"
    if given_types != "object" and not (isinstance(given_types, list) and "object" in given_types):
        yield DescriptorFault("schema.input.type", "not_an_object", "must be object: params are an object.", "/type")


def _one_schema_faults(schema: Any, place: str) -> Faults:
    faults: Iterable[SchemaFault] = check_schema(schema) or _schema_text_faults(schema)
    for fault in faults:
        pointer = f"{place}{fault.pointer}"
        message = f"{pointer}: {fault.message}" if pointer else fault.message
        yield DescriptorFault(f"schema{_dotted(pointer)}", fault.code, message, pointer)


def _schema_text_faults(schema: dict[str, Any]) -> Iterable[SchemaFault]:
    """Check the texts of a schema that a surface may show: titles, descriptions, options, names of fields."""
    for node in subschemas(schema):
        if not isinstance(node.schema, dict):
            continue
        for keyword in _SCHEMA_TEXT_KEYWORDS:
            yield from check_texts(node.schema.get(keyword), pointer=child_pointer(node.pointer, keyword))
        for name in node.schema.get("properties", {}):
            yield from check_texts(name, pointer=child_pointer(node.pointer, "properties", name))


def _dotted(pointer: str) -> str:
    parts = []
    for segment in pointer_segments(pointer):
        if segment.isdigit():
            parts.append(f"[{segment}]")
        else:
            parts.append(f".{segment}" if _PLAIN_SEGMENT.match(segment) else f'["{segment}"]')
    return "".join(parts)
