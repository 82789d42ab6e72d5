"""Whether a component of the surface fits what a capability answers (spec 3 "Surface guidance")."""

from collections.abc import Callable
from typing import Any

from packages.surface.places import Place
from runtime.descriptors import answer_schema


def misfit_of(component: str, descriptor: dict[str, Any]) -> str | None:
    """Say why a component doesn't fit a capability, None where it does."""
    if descriptor["mode"] in ("action", "webhook"):
        return None if component == "card" else f"{component} shows data; mode {descriptor['mode']} shows a card."
    needs, fits = _NEEDS[component]
    return None if fits(Place.of(answer_schema(descriptor))) else f"{component} needs {needs}; the schema has none."


def _is_number(place: Place) -> bool:
    return place.is_only("number", "integer")


def _arrays(place: Place) -> list[Place]:
    """Return the places of the items of the answer itself, or of its properties, where they are arrays."""
    return [item.items() for item in [place, *place.children()] if item.is_only("array")]


def _has_label_and_value(place: Place) -> bool:
    fields = place.children()
    return len(fields) > 1 and any(field.is_only("string") for field in fields)


def _has_series(place: Place) -> bool:
    return any(_is_number(item) or any(map(_is_number, item.children())) for item in _arrays(place))


def _has_items(place: Place) -> bool:
    return bool(_arrays(place))


def _has_rows(place: Place) -> bool:
    return any(len(item.names()) > 1 for item in _arrays(place))


def _has_moments(place: Place) -> bool:
    formats = ("date", "date-time")
    return any(field.keyword("format") in formats for item in _arrays(place) for field in item.children())


def _has_share(place: Place) -> bool:
    return any(_is_number(item) and item.keyword("maximum") is not None for item in place.children())


def _has_fields(place: Place) -> bool:
    return bool(place.names()) or _has_items(place)


_NEEDS: dict[str, tuple[str, Callable[[Place], bool]]] = {
    "stat_row": ("a label and a value", _has_label_and_value),
    "sparkline": ("a series of 7 to 30 numbers", _has_series),
    "list": ("an array", _has_items),
    "table": ("an array of objects with several fields", _has_rows),
    "timeline": ("an array of objects with a date", _has_moments),
    "progress": ("a number with a maximum", _has_share),
    "card": ("named fields", _has_fields),
    "chart": ("a series of numbers", _has_series),
}
