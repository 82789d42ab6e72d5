"""A sample answer to draw a capability from: the provider's first example, else one made from the schema.

Samples are the same every time. What is made up is checked against the schema before it is shown.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from aiffinity.lib.schemas import ExampleError, example_for, validate
from aiffinity.lib.schemas.example_values import FORMAT_EXAMPLES, string_candidates
from packages.surface.fields import arrays_in
from packages.surface.formats import finite, sentence_of
from packages.surface.places import Place
from packages.surface.units import unit_of
from runtime.descriptors import answer_schema, input_schema

Schema = dict[str, Any]

MADE_ITEMS: Final = 7
MAX_DEPTH: Final = 5
MAX_MADE_PROPERTIES: Final = 40
MAX_MADE_VALUES: Final = 600
FIRST_DAY: Final = date(2026, 1, 12)
DAY: Final = timedelta(days=1)

_WORDS: Final = {
    ("name",): ("First example", "Second example", "Third example", "Fourth example", "Fifth example"),
    ("title", "headline", "subject", "summary", "label", "event"): (
        "Quarterly report", "Team lunch", "Design review", "Planning", "Dentist", "Book club", "Airport pick-up",
    ),
    ("location", "city", "place", "address", "destination"): (
        "Oslo", "Bergen", "Lisbon", "Vienna", "Porto", "Turin", "Ghent",
    ),
    ("merchant", "shop", "store", "vendor", "company", "sender"): (
        "Fjord Coffee", "Nordic Rail", "Bergen Books", "Harbour Grocers", "Aurora Outfitters", "Corner Bakery", "Parks",
    ),
    ("symbol", "ticker"): ("ACME", "FJRD", "NORD", "HRBR", "AURA", "BRGN", "POLR"),
    ("currency",): ("EUR",),
    ("email",): ("person@example.com",),
    ("description", "text", "body", "message", "note", "comment", "content"): (
        "A longer text as the provider would send it, such as two sentences on what happened. It goes on for a while.",
    ),
}  # fmt: skip
_RANGES: Final = {"°C": (8.0, 24.0), "°F": (46.0, 75.0), "%": (20.0, 90.0)}
_ANY_RANGE: Final = (12.0, 96.0)


@dataclass(frozen=True)
class Sample:
    """A value to draw from, None for none, and in words where it came from."""

    data: Any
    origin: str


def sample_answer(descriptor: dict[str, Any]) -> Sample:
    """Return what a normalised descriptor's capability would answer."""
    schema = answer_schema(descriptor)
    for example in descriptor.get("examples") or []:
        data = _as_answer(descriptor, example.get("data"))
        extended = extend_series(schema, data)
        added = ", its series extended" if extended is not data else ""
        return Sample(extended, f"the provider's first example{added}")
    return made_sample(schema)


def sample_params(descriptor: dict[str, Any]) -> Sample:
    """Return the params that a call of a normalised descriptor's capability would have."""
    for example in descriptor.get("examples") or []:
        if example.get("params"):
            return Sample(example["params"], "the provider's first example")
    return made_sample(input_schema(descriptor))


def made_sample(schema: Schema) -> Sample:
    """Return a value made from a checked schema: all fields where that is valid, else the least that is."""
    data = _Maker(schema).value(Place.of(schema), "", 0, 0)
    try:
        if not validate(schema, data, max_faults=1):
            return Sample(data, "made from the schema")
        return Sample(extend_series(schema, example_for(schema)), "made from the schema")
    except (ExampleError, ValueError):
        return Sample(None, "none: no value could be made from the schema")


def extend_series(schema: Schema, data: Any) -> Any:
    """Return an answer with its first short series of numbers extended to seven points, where the schema allows.

    An answer without one comes back as the same object.
    """
    for name, _, items in arrays_in(Place.of(schema), data):
        if 0 < len(items) < MADE_ITEMS and _is_series(items):
            longer = [*items, *(_stepped(items, index) for index in range(len(items), MADE_ITEMS))]
            extended = {**data, name: longer} if isinstance(data, dict) else longer
            return data if validate(schema, extended, max_faults=1) else extended
    return data


def _as_answer(descriptor: dict[str, Any], data: Any) -> Any:
    """Put a single item, as some providers write the example of a history, into an array."""
    return [data] if descriptor["mode"] == "history" and isinstance(data, dict) else data


def _is_series(items: list[Any]) -> bool:
    if all(finite(item) is not None for item in items):
        return True
    return all(isinstance(item, dict) and any(finite(each) is not None for each in item.values()) for item in items)


def _stepped(items: list[Any], index: int) -> Any:
    """Return one more item like those given: its numbers vary around theirs, its dates go on by the day."""
    model = items[index % len(items)]
    if isinstance(model, dict):
        return {name: _stepped_value(name, value, index) for name, value in model.items()}
    return _stepped_value("", model, index)


def _stepped_value(name: str, value: Any, index: int) -> Any:
    number = finite(value)
    if number is not None:
        varied = number * (0.85 + 0.3 * _share(name, index))
        return round(varied) if isinstance(value, int) else round(varied, 2)
    if isinstance(value, str) and len(value) >= 10:
        try:
            day = date.fromisoformat(value[:10]) + index * DAY
        except (ValueError, OverflowError):
            return value
        return f"{day.isoformat()}{value[10:]}"
    return value


def _share(name: str, index: int) -> float:
    """Return a number from 0 to 1 that looks random and is the same every time."""
    digest = hashlib.sha256(f"{name} {index}".encode(errors="replace")).digest()
    return int.from_bytes(digest[:2], "big") / 65_535


class _Maker:
    """Makes values with all their fields, within a budget."""

    def __init__(self, schema: Schema) -> None:
        self._left = MAX_MADE_VALUES
        self._schema = schema

    def value(self, place: Place, name: str, index: int, depth: int) -> Any:
        """Return a value for a place; the caller checks what came of it."""
        self._left -= 1
        given = _given_value(place, index)
        if given is not None:
            return given[0]
        if self._left < 0 or depth > MAX_DEPTH:
            return None
        types = place.types()
        if "object" in types or (not types and place.names()):
            names = place.names()[:MAX_MADE_PROPERTIES]
            return {each: self.value(place.child(each), each, index, depth + 1) for each in names}
        if "array" in types:
            return self._array(place, name, depth)
        return _plain_value(place, types, name, index)

    def _array(self, place: Place, name: str, depth: int) -> list[Any]:
        least, most = finite(place.keyword("minItems", (int, float))), finite(place.keyword("maxItems", (int, float)))
        wanted = MADE_ITEMS if depth < 3 else 2
        count = int(min(max(wanted, least or 0), MADE_ITEMS * 5 if most is None else most))
        return [self.value(place.items(), name, index, depth + 1) for index in range(count)]


def _given_value(place: Place, index: int) -> tuple[Any] | None:
    """Return, as a tuple of one, what the schema itself gives: an example, a constant, a default or a choice."""
    for part in place.parts:
        if "const" in part:
            return (part["const"],)
        for keyword in ("examples", "enum"):
            if isinstance(part.get(keyword), list) and part[keyword]:
                return (part[keyword][index % len(part[keyword])],)
        if "default" in part:
            return (part["default"],)
    return None


def _plain_value(place: Place, types: frozenset[str], name: str, index: int) -> Any:
    if types & {"number", "integer"}:
        return _number(place, name, index, is_integer="number" not in types)
    if "boolean" in types:
        return index % 3 != 2
    if "string" in types:
        return _text(place, name, index)
    return None if "null" in types else {}


def _number(place: Place, name: str, index: int, *, is_integer: bool) -> int | float:
    low, high = _RANGES.get(unit_of(name), _ANY_RANGE)
    least, most = finite(place.keyword("minimum", (int, float))), finite(place.keyword("maximum", (int, float)))
    if least is not None and (least > low or most is not None):
        low = max(least, low) if most is not None and low < most else least
        high = max(high, low * 2) if most is None else high
    if most is not None:
        high = most if most < high or least is not None else high
        low = min(low, high)
    number = low + (high - low) * _share(name, index)
    return round(number) if is_integer else round(number, 1)


def _text(place: Place, name: str, index: int) -> str:
    form = place.keyword("format", str)
    if form in ("date", "date-time"):
        day = (FIRST_DAY + index * DAY).isoformat()
        return day if form == "date" else f"{day}T{8 + index % 10:02d}:30:00Z"
    if form in FORMAT_EXAMPLES:
        return FORMAT_EXAMPLES[form]
    most = place.keyword("maxLength", int)
    if place.keyword("pattern", str) or place.keyword("minLength", int):
        flat = {key: value for part in reversed(place.parts) for key, value in part.items()}
        return next(string_candidates(flat), "")
    return _words_for(name, index)[: most if most is not None and most >= 0 else None]


def _words_for(name: str, index: int) -> str:
    lowered = name.lower()
    for names, words in _WORDS.items():
        if any(lowered == each or lowered.endswith(f"_{each}") for each in names):
            return words[index % len(words)]
    if lowered == "id" or lowered.endswith(("_id", "id")):
        stem = lowered.removesuffix("id").strip("_")[:4] or "itm"
        return f"{stem}_{index + 1:04d}"
    return f"{sentence_of(name)[:24] or 'Item'} {index + 1}"
