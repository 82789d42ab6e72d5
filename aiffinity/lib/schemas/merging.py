"""Two schemas of one value folded into one, as far as making an example needs it."""

from collections.abc import Callable
from typing import Any

_MAX_CHOICES = 64


def merge_schemas(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Return the keywords of both, the stricter where both have one; the caller checks what comes of it."""
    merged = dict(first)
    for keyword, value in second.items():
        merged[keyword] = _merged(keyword, merged[keyword], value) if keyword in merged else value
    return merged


def _merged(keyword: str, first: Any, second: Any) -> Any:
    rule = _RULES.get(keyword)
    return rule(first, second) if rule else second


def _both_maps(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    shared = {name: {"allOf": [first[name], second[name]]} for name in first if name in second}
    return {**first, **second, **shared}


def _both_lists(first: list[Any], second: list[Any]) -> list[Any]:
    return [*first, *(item for item in second if item not in first)]


def _both_choices(first: list[Any], second: list[Any]) -> list[Any]:
    """Choose from both at once: each branch of one with each of the other, as far as is worth trying."""
    return [{"allOf": [left, right]} for left in first for right in second][:_MAX_CHOICES]


def _common_types(first: Any, second: Any) -> list[str]:
    left = [first] if isinstance(first, str) else first
    right = [second] if isinstance(second, str) else second
    common = [name for name in left if name in right]
    if "integer" not in common and ("integer" in left or "integer" in right) and {"number"} & {*left, *right}:
        common.append("integer")
    return common


_RULES: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"), min),
    **dict.fromkeys(("properties", "patternProperties", "dependentSchemas", "$defs", "definitions"), _both_maps),
    **dict.fromkeys(("required", "examples"), _both_lists),
    **dict.fromkeys(
        ("items", "additionalProperties", "propertyNames"), lambda first, second: {"allOf": [first, second]}
    ),
    **dict.fromkeys(("anyOf", "oneOf"), _both_choices),
    "not": lambda first, second: {"anyOf": [first, second]},
    "enum": lambda first, second: [option for option in first if option in second],
    "type": _common_types,
}
