"""Plain sentences for a validator's errors, which never repeat a value of the instance."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jsonschema_rs

from aiffinity.lib.schemas.faults import SchemaFault, child_pointer

MAX_LISTED_OPTIONS = 12
MAX_SHOWN_CHARACTERS = 80

Facts = dict[str, Any]

_SENTENCES: dict[str, Callable[[Facts], str]] = {
    "additionalItems": lambda facts: f"must have at most {facts['limit']} items.",
    "const": lambda facts: f"must be {_shown(facts['expected_value'])}.",
    "contains": lambda _: "must contain as many fitting items as the schema asks for.",
    "enum": lambda facts: f"must be one of {_options(facts['options'])}.",
    "exclusiveMaximum": lambda facts: f"must be less than {facts['limit']}.",
    "exclusiveMinimum": lambda facts: f"must be greater than {facts['limit']}.",
    "falseSchema": lambda _: "must not be here.",
    "format": lambda facts: f"must have the format {_shown(facts['format'])}.",
    "maxItems": lambda facts: f"must have at most {facts['limit']} items.",
    "maxLength": lambda facts: f"must have at most {facts['limit']} characters.",
    "maxProperties": lambda facts: f"must have at most {facts['limit']} fields.",
    "maximum": lambda facts: f"must be at most {facts['limit']}.",
    "minItems": lambda facts: f"must have at least {facts['limit']} items.",
    "minLength": lambda facts: f"must have at least {facts['limit']} characters.",
    "minProperties": lambda facts: f"must have at least {facts['limit']} fields.",
    "minimum": lambda facts: f"must be at least {facts['limit']}.",
    "multipleOf": lambda facts: f"must be a multiple of {facts['multiple_of']}.",
    "not": lambda _: "must not match the schema under not.",
    "pattern": lambda facts: f"must match the pattern {_shown(facts['pattern'])}.",
    "propertyNames": lambda _: "has a field whose name isn't allowed.",
    "required": lambda _: "is required.",
    "type": lambda facts: f"must be {_types(facts['types'])}.",
    "uniqueItems": lambda _: "must not have the same item twice.",
}
_UNEXPECTED = frozenset({"additionalProperties", "unevaluatedProperties", "unevaluatedItems"})
_CHOICES = frozenset({"anyOf", "oneOf"})


def describe_errors(errors: Iterable[jsonschema_rs.ValidationError], *, in_schema: bool) -> Iterator[SchemaFault]:
    """Yield a fault for each error, one for each missing or unknown field.

    The code is the keyword in snake_case. `in_schema` says that the instance is itself a schema, where a
    wrong `type` gets a better word.
    """
    for error in errors:
        pointer = child_pointer("", *error.instance_path)
        keyword, facts = error.kind.name, error.kind.as_dict()
        if keyword == "required":
            pointer = child_pointer(pointer, facts["property"])
        if keyword == "unevaluatedItems":
            yield SchemaFault(pointer, _code(keyword), "has more items than the schema knows.")
        elif keyword in _UNEXPECTED:
            for name in facts["unexpected"]:
                yield SchemaFault(child_pointer(pointer, name), _code(keyword), "is not a known field here.")
        elif in_schema and error.instance_path[-1:] == ["type"]:
            message = "must be array, boolean, integer, null, number, object or string, or a list of these."
            yield SchemaFault(pointer, "type", message)
        else:
            yield SchemaFault(pointer, _code(keyword), _sentence(keyword, facts))


def _sentence(keyword: str, facts: Facts) -> str:
    if keyword in _CHOICES:
        return _choice_sentence(keyword, facts)
    known = _SENTENCES.get(keyword)
    return known(facts) if known else f"does not satisfy {keyword}."


def _choice_sentence(keyword: str, facts: Facts) -> str:
    """Name the types where a type is all that every branch misses."""
    branches: list[list[jsonschema_rs.ValidationError]] = facts["context"]
    types = [error.kind.as_dict()["types"] for branch in branches for error in branch if error.kind.name == "type"]
    if branches and len(types) == len(branches) == sum(len(branch) for branch in branches):
        return f"must be {_types(sorted({name for names in types for name in names}))}."
    if keyword == "oneOf" and any(not branch for branch in branches):
        return "must match exactly one of the forms that the schema allows."
    return "must match one of the forms that the schema allows."


def _code(keyword: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in keyword)


def _types(names: list[str]) -> str:
    words = [name if name == "null" else f"an {name}" if name[0] in "aio" else f"a {name}" for name in names]
    return " or ".join(words)


def _options(options: list[Any]) -> str:
    listed = ", ".join(_shown(option) for option in options[:MAX_LISTED_OPTIONS])
    return listed if len(options) <= MAX_LISTED_OPTIONS else f"{listed} and {len(options) - MAX_LISTED_OPTIONS} more"


def _shown(value: Any) -> str:
    """Write a value of the schema, shortened."""
    words = {None: "null", True: "true", False: "false"}
    text = words.get(value, str(value)) if value is None or isinstance(value, bool) else str(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…"
