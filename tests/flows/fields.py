"""Wrong values for every field of a body, derived from the OpenAPI document."""

from collections.abc import Callable, Iterable, Iterator
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


# Of the right type, and still nothing that anybody means.
HOSTILE: dict[str, list[Json]] = {
    "string": [
        "",
        "\n",
        "x" * 20_000,
        "\U0001f4a9\u202e\u200b\ufeff\uffff\x1b[31m",
        "%00%s%n{0}{{7*7}}' OR 1=1; --",
        "\u0130" * 240 + "@example.com",
        "https://[::1",
        "https://a:b@\u0130.example.com:99999/",
    ],
    "integer": [-(2**63), 2**63 - 1, 0],
    "number": [-(2**63), 1e308, 5e-324],
    "boolean": [True, False],
    "array": [["x"] * 5000, [[[]], None, True, 1.5, {"": ""}]],
    "object": [{"": "", "a.b[0]": 1, "__proto__": {}}, {"x" * 10_000: None}, {"$ref": "file:///etc/passwd"}],
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


def bodies_with(
    values: Callable[[dict[str, Any]], Iterable[Json]], schema: dict[str, Any], body: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a body for each value of each field, inner ones too, and the field's path as an error names it."""
    for name, inner in schema.get("properties", {}).items():
        for value in values(inner):
            yield name, {**_without(body, name), name: value}
        given = body.get(name)
        for path, inner_body in bodies_with(values, resolve(inner), given if isinstance(given, dict) else {}):
            yield f"{name}.{path}", {**_without(body, name), name: inner_body}


def hostile_values(schema: dict[str, Any]) -> Iterator[Json]:
    """Yield values of a field's type that a careless program trips over."""
    kinds = _kinds(resolve(schema))
    for kind in kinds or HOSTILE:
        yield from HOSTILE.get(kind, [])


def wrong_values(schema: dict[str, Any]) -> Iterator[Json]:
    """Yield values that a field's type refuses."""
    field, takes_null = resolve(schema), _takes_null(schema)
    kinds = _kinds(field)
    refused = [WRONG[kind] for kind in kinds if kind in WRONG]
    for wrong in refused[0] if refused else []:
        if all(_is_among(wrong, others) for others in refused):
            yield wrong
    if refused and not takes_null:
        yield None
    if "array" in kinds and resolve(field.get("items", {})).get("type") == "string":
        yield from ([5], [None], [{}], [[]])


def _kinds(field: dict[str, Any]) -> list[str]:
    kinds = field.get("type", ["string"] if "enum" in field else [])
    return kinds if isinstance(kinds, list) else [kinds]


def _takes_null(schema: dict[str, Any]) -> bool:
    return "null" in schema.get("type", []) or {"type": "null"} in schema.get("oneOf", [])


def _is_among(value: Json, others: list[Json]) -> bool:
    return any(type(value) is type(other) and value == other for other in others)


def _without(body: dict[str, Any], name: str) -> dict[str, Any]:
    """Leave a field out in either casing."""
    first, *rest = name.split("_")
    camel_case = first + "".join(word.capitalize() for word in rest)
    return {key: value for key, value in body.items() if key not in (name, camel_case)}
