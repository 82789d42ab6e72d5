"""Components that tell single facts: stat_row, progress and card."""

import math
from typing import Any, Final

from packages.surface.fields import Field, field_of, fields_of, first_object, title_of
from packages.surface.formats import finite, number_text, shortened
from packages.surface.places import Place
from packages.surface.units import with_unit

Context = dict[str, Any]

MAX_STATS: Final = 3
MAX_RINGS: Final = 3
MAX_CARD_FIELDS: Final = 6
MAX_PROSE: Final = 180
PROSE_FROM: Final = 48
RING_RADIUS: Final = 26


def stat_row(place: Place, sample: Any) -> Context | None:
    """Return the context of a stat row: what it is about, one large value, up to three smaller ones, and when."""
    fields = [field for field in _facts(place, sample) if field.kind != "nested"]
    title = title_of(fields)
    moment = next((field for field in fields if field.kind == "moment"), None)
    rest = [field for field in fields if field not in (title, moment) and not field.is_identifier]
    main = next((field for field in rest if field.kind == "number"), next(iter(rest), None))
    if main is None:
        main, title, moment = title or moment, None, moment if title else None
    if main is None:
        return None
    stats = [field for field in rest if field is not main][:MAX_STATS]
    return {"title": title, "main": main, "stats": stats, "moment": moment}


def progress(place: Place, sample: Any) -> Context | None:
    """Return the context of progress rings, one for each number with a maximum."""
    fields = fields_of(*first_object(place, sample))
    shares = [field for field in fields if field.kind == "number" and _bound(field, "maximum") is not None]
    rings = [_ring(field) for field in shares[:MAX_RINGS]]
    return {"title": title_of(fields), "rings": rings} if rings else None


def card(place: Place, sample: Any) -> Context | None:
    """Return the context of a card: a title, a line of prose and the other fields as label and value."""
    fields = _facts(place, sample)
    if not fields:
        return None
    title = title_of(fields)
    prose = next((field for field in fields if field is not title and _is_prose(field)), None)
    rest = [field for field in fields if field not in (title, prose)]
    return {
        "title": title,
        "prose": _prose_text(prose),
        "fields": rest[:MAX_CARD_FIELDS],
        "hidden_count": len(rest[MAX_CARD_FIELDS:]),
        "other_count": _count_of_objects(sample) - 1,
    }


def _ring(field: Field) -> Context:
    least, most = _bound(field, "minimum") or 0.0, _bound(field, "maximum") or 0.0
    span = most - least
    share = 0.0 if field.number is None or span <= 0 else min(max((field.number - least) / span, 0.0), 1.0)
    around = 2 * math.pi * RING_RADIUS
    is_percentage = field.unit == "%" and (least, most) == (0.0, 100.0)
    return {
        "field": field,
        "percent": "" if field.is_masked else f"{share * 100:.0f}%",
        "dashes": f"{share * around:.2f} {around:.2f}",
        "has_arc": share > 0,
        "of": "" if is_percentage else f"of {with_unit(number_text(_plain(most)), field.unit)}",
    }


def _plain(value: float) -> float:
    return int(value) if value == int(value) else value


def _bound(field: Field, keyword: str) -> float | None:
    return finite(field.place.keyword(keyword, (int, float)))


def _is_prose(field: Field) -> bool:
    return field.kind == "text" and not field.is_masked and len(field.value) > PROSE_FROM


def _prose_text(field: Field | None) -> str:
    return shortened(field.value, MAX_PROSE) if field is not None else ""


def _facts(place: Place, sample: Any) -> list[Field]:
    """Return the fields of an object, or of the first one of many; any other answer is one field."""
    item_place, item = first_object(place, sample)
    if isinstance(item, dict):
        return fields_of(item_place, item)
    is_nothing = sample is None or sample == []
    return [] if is_nothing else [field_of("items" if isinstance(sample, list) else "value", place, sample)]


def _count_of_objects(sample: Any) -> int:
    return max(sum(isinstance(item, dict) for item in sample), 1) if isinstance(sample, list) else 1
