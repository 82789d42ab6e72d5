"""Components that tell many things alike: list, table and timeline."""

from collections.abc import Iterator
from typing import Any, Final

from packages.surface.fields import Field, arrays_in, field_of, fields_of, is_identifier, label_of, title_of
from packages.surface.formats import MAX_LABEL, shortened
from packages.surface.places import Place

Context = dict[str, Any]
Row = list[Field]

MAX_LIST_ROWS: Final = 5
MAX_TABLE_ROWS: Final = 6
MAX_COLUMNS: Final = 5
ENOUGH_COLUMNS: Final = 3
MAX_MOMENTS: Final = 6
MAX_DETAILS: Final = 2
MAX_READ: Final = 200
MAX_CELL: Final = 32


def list_rows(place: Place, sample: Any) -> Context | None:
    """Return the context of a list: title, details and a value at the end of each row."""
    found = _fullest(place, sample)
    if found is None:
        return None
    name, item_place, items = found
    rows = [_list_row(_fields(name, item_place, item)) for item in items[:MAX_LIST_ROWS]]
    return {"rows": rows, "more_count": len(items) - len(rows)}


def table(place: Place, sample: Any) -> Context | None:
    """Return the context of a table: a column for each field, ids only where little else stands."""
    found = _fullest(place, sample, only_objects=True)
    if found is None:
        return None
    _, item_place, items = found
    names = _column_names(item_place, items)
    speaking = [name for name in names if not is_identifier(name, item_place.child(name))]
    shown = (speaking if len(speaking) >= ENOUGH_COLUMNS else names)[:MAX_COLUMNS]
    rows = [_cells(item_place, item, shown) for item in items[:MAX_TABLE_ROWS]]
    return {
        "columns": [_column(item_place, name, rows, index) for index, name in enumerate(shown)],
        "rows": rows,
        "more_count": len(items) - len(rows),
        "hidden_columns": len(names) - len(shown),
    }


def timeline(place: Place, sample: Any) -> Context | None:
    """Return the context of a timeline: what has a moment, the newest first."""
    for _, item_place, items in arrays_in(place, sample):
        rows = [fields_of(item_place, item) for item in items[:MAX_READ]]
        dated = [(when, row) for row in rows if (when := _moment_field(row)) is not None]
        if dated:
            dated.sort(key=lambda pair: pair[0].moment.timestamp() if pair[0].moment else 0.0, reverse=True)
            stops = [_stop(when, row) for when, row in dated[:MAX_MOMENTS]]
            return {"stops": stops, "more_count": len(items) - len(stops)}
    return None


def _fullest(place: Place, sample: Any, *, only_objects: bool = False) -> tuple[str, Place, list[Any]] | None:
    """Return the array to show: the first one of objects, else the first one that isn't empty."""
    found = [(name, item_place, items) for name, item_place, items in arrays_in(place, sample) if items]
    objects = (
        (name, item_place, [item for item in items if isinstance(item, dict)])
        for name, item_place, items in found
        if any(isinstance(item, dict) for item in items)
    )
    return next(objects, None) or (None if only_objects else next(iter(found), None))


def _fields(name: str, place: Place, item: Any) -> Row:
    return fields_of(place, item) if isinstance(item, dict) else [field_of(name or "item", place, item)]


def _list_row(fields: Row) -> Context:
    title = title_of(fields) or next(iter(fields), None)
    rest = [field for field in fields if field is not title and not field.is_identifier]
    value = next((field for field in rest if field.kind == "number"), None)
    details = [field for field in rest if field is not value and field.kind not in ("nested", "empty")]
    return {
        "initial": _initial(title),
        "title": title.shown if title else "",
        "is_masked": bool(title and title.is_masked),
        "details": details[:MAX_DETAILS],
        "value": value,
    }


def _initial(title: Field | None) -> str:
    letters = (letter for letter in (title.text if title else "") if letter.isalnum())
    return "" if title is None or title.is_masked or title.kind != "text" else next(letters, "").upper()[:1]


def _column_names(place: Place, items: list[Any]) -> list[str]:
    given = dict.fromkeys(name for item in items[:MAX_READ] for name in item)
    known = [name for name in place.names() if name in given]
    return [*known, *(name for name in given if name not in set(known))]


def _cells(place: Place, item: dict[str, Any], names: list[str]) -> list[Context]:
    by_name = {field.name: field for field in fields_of(place, item)}
    return [
        {
            "text": shortened(by_name[name].shown, MAX_CELL) if name in by_name else "",
            "kind": by_name[name].kind if name in by_name else "empty",
            "is_masked": name in by_name and by_name[name].is_masked,
        }
        for name in names
    ]


def _column(place: Place, name: str, rows: list[list[Context]], index: int) -> Context:
    kinds = {row[index]["kind"] for row in rows} - {"empty"}
    label = label_of(name, place.child(name), has_unit=kinds == {"number"})
    return {"label": shortened(label, MAX_LABEL), "is_number": kinds == {"number"}}


def _moment_field(fields: Row) -> Field | None:
    moments = _moments(fields)
    return next((field for field in moments if not field.is_masked), next(moments, None))


def _moments(fields: Row) -> Iterator[Field]:
    return (field for field in fields if field.kind == "moment" and (field.moment is not None or field.is_masked))


def _stop(when: Field, fields: Row) -> Context:
    others = [field for field in fields if field is not when and field.kind not in ("nested", "empty")]
    title = title_of(others)
    rest = [field for field in others if field is not title and not field.is_identifier]
    return {"when": when, "title": title, "details": rest[:MAX_DETAILS]}
