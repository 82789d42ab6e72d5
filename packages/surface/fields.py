"""The fields of an answer, read with the eyes of its schema: label, text, number, moment, and what stays hidden."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from packages.surface.formats import (
    MASK,
    MAX_LABEL,
    MAX_TEXT,
    NOTHING,
    finite,
    moment_of,
    moment_text,
    money_text,
    number_text,
    sentence_of,
    shortened,
)
from packages.surface.places import Place
from packages.surface.units import CURRENCY_SIGNS, is_money, unit_of, with_unit, without_unit

MAX_FIELDS: Final = 60
MAX_LISTED: Final = 3

_TITLE_NAMES: Final = (
    "title", "name", "display_name", "headline", "subject", "label", "summary", "merchant", "symbol", "location",
)  # fmt: skip
_CURRENCY_NAMES: Final = ("currency", "currency_code")


@dataclass(frozen=True)
class Field:
    """One field of an answer; `number` and `moment` are None for what is none, and for what is hidden.

    `kind` is number, moment, text, flag, empty or nested. `text` has neither been escaped nor given its unit;
    `shown` has the unit.
    """

    name: str
    label: str
    kind: str
    text: str
    unit: str
    number: float | None
    moment: datetime | None
    is_masked: bool
    place: Place
    value: Any

    @property
    def shown(self) -> str:
        """The text with its unit."""
        return self.text if self.is_masked or self.kind != "number" else with_unit(self.text, self.unit)

    @property
    def is_identifier(self) -> bool:
        """Whether the field names a thing for machines: an id, an address."""
        return is_identifier(self.name, self.place)


def fields_of(place: Place, value: Any) -> list[Field]:
    """Return the fields of an object in the order of the schema, then those that the schema doesn't name."""
    if not isinstance(value, dict):
        return []
    names = [name for name in place.names() if name in value]
    names += [name for name in value if name not in set(names)]
    currency = _currency_of(place, value)
    return [field_of(name, place.child(name), value[name], currency) for name in names[:MAX_FIELDS]]


def field_of(name: str, place: Place, value: Any, currency: str = "") -> Field:
    """Read one value by its name and its place in the schema."""
    kind = _kind_of(place, value)
    unit = unit_of(name) if kind == "number" else ""
    if kind == "number" and not unit and is_money(name):
        unit = currency
    is_hidden = place.is_masked and kind != "empty"
    moment = moment_of(value) if kind == "moment" and not is_hidden else None
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return Field(
        name=name,
        label=label_of(name, place, has_unit=bool(unit)),
        kind=kind,
        text=MASK if is_hidden else _text_of(name, kind, place, value),
        unit=unit,
        number=None if is_hidden else finite(value),
        moment=moment,
        is_masked=is_hidden,
        place=place,
        value=MASK if is_hidden else value,
    )


def label_of(name: str, place: Place, *, has_unit: bool = False) -> str:
    """Return what stands beside a field: its title in the schema, else the words of its name."""
    title = place.keyword("title", str)
    if title and title.strip():
        return shortened(title, MAX_LABEL)
    return sentence_of(without_unit(name) if has_unit else name) or "Value"


def is_identifier(name: str, place: Place) -> bool:
    """Whether a field names a thing for machines, by its format or by its name."""
    is_address = place.keyword("format") in ("uri", "uri-reference", "uuid", "iri")
    return is_address or name.lower() in ("id", "url", "uuid") or name.endswith(("_id", "_url", "_uuid", "Id", "Url"))


def title_of(fields: list[Field]) -> Field | None:
    """Return the field that names the thing: by its name, else the first text that is no id and no choice."""
    texts = [field for field in fields if field.kind == "text"]
    by_name = {field.name.lower(): field for field in reversed(texts)}
    named = next((by_name[name] for name in _TITLE_NAMES if name in by_name), None)
    plain = (field for field in texts if not field.is_identifier and field.place.keyword("enum") is None)
    speaking = (field for field in texts if not field.is_identifier)
    return named or next(plain, None) or next(speaking, None) or next(iter(texts), None)


def arrays_in(place: Place, value: Any) -> Iterator[tuple[str, Place, list[Any]]]:
    """Yield the arrays of an answer as (name, place of an item, items): itself, or each of its fields."""
    if isinstance(value, list):
        yield "", place.items(), value
    elif isinstance(value, dict):
        names = list(dict.fromkeys([*place.names(), *value]))[:MAX_FIELDS]
        for name in names:
            if isinstance(value.get(name), list):
                yield name, place.child(name).items(), value[name]


def first_object(place: Place, value: Any) -> tuple[Place, Any]:
    """Return an answer that is an object, or the first object of an answer that is an array."""
    if isinstance(value, list):
        return place.items(), next((item for item in value if isinstance(item, dict)), None)
    return place, value


def _kind_of(place: Place, value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        is_plain = place.keyword("format") in ("uri", "email", "hostname") or place.keyword("enum") is not None
        return "text" if is_plain or moment_text(value) is None else "moment"
    return "nested"


def _text_of(name: str, kind: str, place: Place, value: Any) -> str:
    if kind == "empty":
        return NOTHING
    if kind == "flag":
        return "Yes" if value else "No"
    if kind == "number":
        return money_text(value) if is_money(name) and finite(value) is not None else number_text(value)
    if kind == "moment":
        return moment_text(value) or NOTHING
    if kind == "text":
        is_choice = place.keyword("enum") is not None and value.replace("_", "").isalnum()
        return sentence_of(value) if is_choice else shortened(value, MAX_TEXT) or NOTHING
    return _nested_text(place, value)


def _nested_text(place: Place, value: Any) -> str:
    """Tell an array or object in one line: its first plain values, else how many there are."""
    if isinstance(value, dict):
        plain = [item.shown for item in (field_of(name, place.child(name), value[name]) for name in _plain(value))]
        return shortened(", ".join(plain)) or f"{len(value)} fields"
    if not isinstance(value, list):
        return NOTHING
    if value and not any(isinstance(item, dict | list) for item in value):
        plain = [field_of("", place.items(), item).shown for item in value[:MAX_LISTED]]
        more = f" +{len(value) - MAX_LISTED} more" if len(value) > MAX_LISTED else ""
        return shortened(", ".join(plain)) + more
    return f"{len(value)} item{'' if len(value) == 1 else 's'}"


def _plain(value: dict[str, Any]) -> list[str]:
    return [name for name in value if not isinstance(value[name], dict | list)][:MAX_LISTED]


def _currency_of(place: Place, value: dict[str, Any]) -> str:
    for name in _CURRENCY_NAMES:
        code = value.get(name)
        if isinstance(code, str) and len(code) == 3 and code.isascii() and code.isalpha():
            is_hidden = place.child(name).is_masked
            return "" if is_hidden else CURRENCY_SIGNS.get(code.upper(), code.upper())
    return ""
