"""Whether a component of the surface fits what a capability answers (spec 3 "Surface guidance")."""

from collections.abc import Callable
from typing import Any

from runtime.descriptors import output_schema

Schema = dict[str, Any]


def misfit_of(component: str, descriptor: dict[str, Any]) -> str | None:
    """Say why a component doesn't fit a capability, None where it does."""
    if descriptor["mode"] in ("action", "webhook"):
        return None if component == "card" else f"{component} shows data; mode {descriptor['mode']} shows a card."
    schema = output_schema(descriptor)
    if descriptor["mode"] == "history":
        schema = {"type": "array", "items": schema}
    needs, fits = _NEEDS[component]
    return None if fits(schema) else f"{component} needs {needs}; the schema has none."


def _properties(schema: Schema) -> list[Schema]:
    return [item for item in schema.get("properties", {}).values() if isinstance(item, dict)]


def _is_number(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("type") in ("number", "integer")


def _arrays(schema: Schema) -> list[Schema]:
    """Return the items' schemas of the schema itself, or of its properties, where they are arrays."""
    found = [item for item in [schema, *_properties(schema)] if item.get("type") == "array"]
    return [item["items"] for item in found if isinstance(item.get("items"), dict)]


def _has_label_and_value(schema: Schema) -> bool:
    fields = _properties(schema)
    labels = [item for item in fields if item.get("type") == "string"]
    return bool(labels) and len(fields) > 1


def _has_series(schema: Schema) -> bool:
    return any(_is_number(item) or any(map(_is_number, _properties(item))) for item in _arrays(schema))


def _has_items(schema: Schema) -> bool:
    return bool(_arrays(schema))


def _has_rows(schema: Schema) -> bool:
    return any(len(_properties(item)) > 1 for item in _arrays(schema))


def _has_moments(schema: Schema) -> bool:
    formats = ("date", "date-time")
    return any(field.get("format") in formats for item in _arrays(schema) for field in _properties(item))


def _has_share(schema: Schema) -> bool:
    return any(_is_number(item) and "maximum" in item for item in _properties(schema))


def _has_fields(schema: Schema) -> bool:
    return bool(_properties(schema)) or _has_items(schema)


_NEEDS: dict[str, tuple[str, Callable[[Schema], bool]]] = {
    "stat_row": ("a label and a value", _has_label_and_value),
    "sparkline": ("a series of 7 to 30 numbers", _has_series),
    "list": ("an array", _has_items),
    "table": ("an array of objects with several fields", _has_rows),
    "timeline": ("an array of objects with a date", _has_moments),
    "progress": ("a number with a maximum", _has_share),
    "card": ("named fields", _has_fields),
    "chart": ("a series of numbers", _has_series),
}
