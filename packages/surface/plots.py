"""Components that draw a series of numbers: sparkline and chart."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from packages.surface.fields import Field, arrays_in, field_of, fields_of, label_of, title_of
from packages.surface.formats import day_text, money_text, number_text, short_day_text, short_number_text, shortened
from packages.surface.places import Place
from packages.surface.scales import Axis, area, axis_for, coordinate, plain_axis, polyline, spread
from packages.surface.units import is_money, with_unit

Context = dict[str, Any]

MAX_SPARKS: Final = 30
MAX_POINTS: Final = 120
MAX_READ: Final = 500
MAX_SERIES: Final = 3
MAX_BARS: Final = 12
SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = 280, 64, 5
CHART_HEIGHT: Final = 180
LEFT, RIGHT, TOP, BOTTOM = 48.0, 308.0, 10.0, 152.0
BAR_LEFT, BAR_RIGHT, BAR_STEP, MAX_BAR_NAME = 108.0, 256.0, 26, 17


@dataclass(frozen=True)
class Series:
    """One line of numbers; None where a point has none."""

    label: str
    unit: str
    is_money: bool
    numbers: list[float | None]

    def text(self, value: float) -> str:
        """Return a value of the series with its unit."""
        plain = int(value) if value == int(value) else value
        return with_unit(money_text(plain) if self.is_money else number_text(plain), self.unit)


@dataclass(frozen=True)
class Points:
    """What a plot draws: up to three series over the same points, with the points' moments or names."""

    series: list[Series]
    moments: list[datetime]
    names: list[str]


def sparkline(place: Place, sample: Any) -> Context | None:
    """Return the context of a sparkline: the last value large, its change, and the line of the last 30."""
    found = _points_in(place, sample)
    if not isinstance(found, Points):
        return found
    series = found.series[0]
    numbers = [number for number in series.numbers if number is not None][-MAX_SPARKS:]
    axis = plain_axis(numbers, start=SPARK_HEIGHT - SPARK_EDGE, end=SPARK_EDGE)
    xs = spread(len(numbers), SPARK_EDGE, SPARK_WIDTH - SPARK_EDGE)
    points = [(x, axis.at(number)) for x, number in zip(xs, numbers, strict=True)]
    change = numbers[-1] - numbers[0]
    return {
        "label": series.label,
        "last": series.text(numbers[-1]),
        "change": series.text(abs(round(change, 2))) if change else "",
        "is_rising": change > 0,
        "line": polyline(points),
        "area": area(points, SPARK_HEIGHT),
        "end": [coordinate(part) for part in points[-1]],
        "range": f"{series.text(min(numbers))} to {series.text(max(numbers))}",
        "span": _span_text(found.moments, len(numbers)),
    }


def chart(place: Place, sample: Any) -> Context | None:
    """Return the context of a chart: bars where points have names, else a line for each series."""
    found = _points_in(place, sample)
    if not isinstance(found, Points):
        return found
    if found.names and len(found.names) <= MAX_BARS:
        return _bars(found.series[0], found.names)
    series = found.series
    numbers = [number for each in series for number in each.numbers if number is not None]
    axis = axis_for(numbers, start=BOTTOM, end=TOP, from_zero=False)
    xs = spread(len(series[0].numbers), LEFT, RIGHT)
    return {
        "label": series[0].label,
        "unit": series[0].unit,
        "height": CHART_HEIGHT,
        "legend": [each.label for each in series] if len(series) > 1 else [],
        "ticks": [{"y": coordinate(axis.at(tick)), "text": short_number_text(tick)} for tick in axis.ticks],
        "lines": [_line(each, xs, axis) for each in series],
        "labels": _point_labels(found.moments, xs),
    }


def _points_in(place: Place, sample: Any) -> Points | Context | None:
    """Return the first array's numbers, `{"is_hidden": True}` where all of them are masked, None for none."""
    hidden: Context | None = None
    for name, item_place, items in arrays_in(place, sample):
        rows = [_row(name, item_place, item) for item in items[:MAX_READ]]
        numeric = [field for row in rows for field in row if _is_measure(field)]
        drawn = [row for row in rows if any(_is_measure(field) and field.number is not None for field in row)]
        if drawn:
            return _points(drawn)
        if numeric:
            hidden = hidden or {"is_hidden": True, "label": numeric[0].label, "level": numeric[0].place.level}
    return hidden


def _row(name: str, place: Place, item: Any) -> list[Field]:
    return fields_of(place, item) if isinstance(item, dict) else [field_of(name or "value", place, item)]


def _is_measure(field: Field) -> bool:
    is_number = field.kind == "number" and (field.number is not None or field.is_masked)
    return is_number and not field.is_identifier


def _points(rows: list[list[Field]]) -> Points:
    dated = [(moment, index) for index, row in enumerate(rows) if (moment := _moment_in(row)) is not None]
    is_dated = len(dated) == len(rows)
    if is_dated:
        rows = [rows[index] for _, index in sorted(dated)]
    rows = rows[-MAX_POINTS:]
    known = [moment for moment, _ in sorted(dated)][-MAX_POINTS:]
    names = [] if known else [title.shown for row in rows if (title := title_of(row)) is not None]
    return Points(
        series=_series(rows),
        moments=known if is_dated else [],
        names=names if len(names) == len(rows) else [],
    )


def _series(rows: list[list[Field]]) -> list[Series]:
    """Return the numbers by field: the first field, and others of the same unit beside it."""
    measures = {field.name: field for row in rows for field in row if _is_measure(field) and field.number is not None}
    unit = next(iter(measures.values())).unit
    alike = [field for field in measures.values() if field.unit == unit][:MAX_SERIES]
    by_name = [{field.name: field.number for field in row} for row in rows]
    return [
        Series(
            label=label_of(each.name, each.place, has_unit=bool(unit)),
            unit=unit,
            is_money=is_money(each.name),
            numbers=[row.get(each.name) for row in by_name],
        )
        for each in alike
    ]


def _moment_in(row: list[Field]) -> datetime | None:
    return next((field.moment for field in row if field.moment is not None), None)


def _line(series: Series, xs: list[float], axis: Axis) -> Context:
    points = [(x, axis.at(number)) for x, number in zip(xs, series.numbers, strict=True) if number is not None]
    return {
        "line": polyline(points),
        "area": area(points, axis.start),
        "end": [coordinate(part) for part in points[-1]],
    }


def _bars(series: Series, names: list[str]) -> Context:
    """Lay bars beside the names of what they stand for, with their values at the end of the line."""
    numbers = [number for number in series.numbers if number is not None]
    axis = axis_for(numbers, start=BAR_LEFT, end=BAR_RIGHT, from_zero=True)
    zero = axis.at(0.0)
    bars = []
    for index, (number, name) in enumerate(zip(series.numbers, names, strict=True)):
        end = zero if number is None else axis.at(number)
        bars.append(
            {
                "name": shortened(name, MAX_BAR_NAME),
                "text": "" if number is None else series.text(number),
                "x": coordinate(min(zero, end)),
                "y": coordinate(index * BAR_STEP + 6),
                "text_y": coordinate(index * BAR_STEP + 17),
                "width": coordinate(max(abs(end - zero), 1.0)),
            }
        )
    return {"label": series.label, "unit": "", "height": len(bars) * BAR_STEP, "bars": bars}


def _point_labels(moments: list[datetime], xs: list[float]) -> list[Context]:
    """Label the first, the middle and the last point with their days, or with their number."""
    places = sorted({0, len(xs) // 2, len(xs) - 1}) if len(xs) > 2 else list(range(len(xs)))
    texts = [short_day_text(moment) for moment in moments] or [f"{index + 1}" for index in range(len(xs))]
    anchors = {0: "start", len(xs) - 1: "end"}
    return [
        {"x": coordinate(xs[index]), "text": texts[index], "anchor": anchors.get(index, "middle")} for index in places
    ]


def _span_text(moments: list[datetime], count: int) -> str:
    shown = moments[-count:]
    if len(shown) < 2:
        return f"{count} value{'' if count == 1 else 's'}"
    return f"{day_text(shown[0])} to {day_text(shown[-1])}"
