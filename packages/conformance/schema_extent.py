"""Whether a schema takes every value, or none."""

from typing import Any

from aiffinity.lib.schemas import ExampleError, compiled, example_for

# One value of each type, empty and not: whoever takes them all says nothing about an answer.
_ANYTHING: tuple[Any, ...] = (None, True, False, 0, -1.5, "", "text", [], [None, "x", 1], {}, {"any": {"thing": 1}})
_TYPES_OF = {
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}
_BOUNDS = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
)


def admits_everything(schema: dict[str, Any]) -> bool:
    """Say whether a checked schema takes values of every kind."""
    judge = compiled(schema)
    return all(judge.is_valid(value) for value in _ANYTHING)


def admits_nothing(schema: Any) -> bool:
    """Say whether a checked schema contradicts itself; a doubtful one is said to admit something."""
    if schema is False:
        return True
    if not isinstance(schema, dict) or _has_example(schema):
        return False
    return _contradicts(schema)


def _has_example(schema: dict[str, Any]) -> bool:
    try:
        example_for(schema)
    except ExampleError:
        return False
    return True


def _contradicts(schema: dict[str, Any]) -> bool:
    if schema.get("not") in ({}, True) or schema.get("enum") == []:
        return True
    if any(schema.get(low, 0) > schema[high] for low, high in _BOUNDS if low in schema and high in schema):
        return True
    if _no_option_has_type(schema):
        return True
    properties = schema.get("properties", {})
    if any(admits_nothing(properties.get(name, True)) for name in schema.get("required", ())):
        return True
    if any(admits_nothing(each) for each in schema.get("allOf", ())):
        return True
    return any(all(admits_nothing(each) for each in schema[word]) for word in ("anyOf", "oneOf") if word in schema)


def _no_option_has_type(schema: dict[str, Any]) -> bool:
    options = [schema["const"]] if "const" in schema else schema.get("enum")
    types = schema.get("type")
    if options is None or types is None:
        return False
    names = {types} if isinstance(types, str) else set(types)
    allowed = names | {"number"} if "integer" in names else names
    return not any(_TYPES_OF[type(option)] in allowed for option in options)
