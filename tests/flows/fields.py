"""Wrong values for every field of a body, derived from the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from aiffinity.lib.api_docs import openapi_document

Json = Any

WRONG: dict[str, list[Json]] = {
    "string": [5, 1.5, True, [], {}, ["x"]],
    "integer": ["5", 1.5, True, [], {}],
    "number": ["5", True, [], {}],
    "boolean": ["true", 1, 0, [], {}],
    "array": ["x", 5, True, {}],
    "object": ["x", 5, True, [], ["x"]],
}


def body_schema(path: str, method: str) -> dict[str, Any]:
    """Return the schema of an operation's JSON body."""
    operation = openapi_document()["paths"][path][method.lower()]
    return resolve(operation["requestBody"]["content"]["application/json"]["schema"])


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow references and single `allOf`s."""
    if "$ref" in schema:
        return resolve(openapi_document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for word in ("allOf", "oneOf", "anyOf"):
        if word in schema:
            return resolve(schema[word][0])
    return schema


def wrong_bodies(schema: dict[str, Any], body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield bodies with one field of a wrong type each, and the field's path as an error names it."""
    for name, inner in schema.get("properties", {}).items():
        field = resolve(inner)
        for wrong in wrong_values(field, takes_null=_takes_null(inner)):
            yield name, {**_without(body, name), name: wrong}
        if field.get("properties"):
            given = body.get(name) if isinstance(body.get(name), dict) else {}
            for path, inner_body in wrong_bodies(field, given or {}):
                yield f"{name}.{path}", {**_without(body, name), name: inner_body}


def wrong_values(field: dict[str, Any], *, takes_null: bool) -> Iterator[Json]:
    """Yield values that a field's type refuses."""
    kinds = field.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if not kinds and "enum" in field:
        kinds = ["string"]
    refused = [WRONG[kind] for kind in kinds if kind in WRONG]
    for wrong in refused[0] if refused else []:
        if all(_is_among(wrong, others) for others in refused):
            yield wrong
    if refused and not takes_null:
        yield None
    if "array" in kinds and resolve(field.get("items", {})).get("type") == "string":
        yield from ([5], [None], [{}], [[]])


def _takes_null(schema: dict[str, Any]) -> bool:
    return "null" in schema.get("type", []) or {"type": "null"} in schema.get("oneOf", [])


def _is_among(value: Json, others: list[Json]) -> bool:
    return any(type(value) is type(other) and value == other for other in others)


def _without(body: dict[str, Any], name: str) -> dict[str, Any]:
    """Leave a field out in either casing."""
    first, *rest = name.split("_")
    camel_case = first + "".join(word.capitalize() for word in rest)
    return {key: value for key, value in body.items() if key not in (name, camel_case)}
