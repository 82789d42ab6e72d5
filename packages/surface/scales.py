"""From numbers to places on paper: axes with round ticks, and coordinates as SVG wants them."""

import math
from dataclasses import dataclass
from typing import Final

_ROUND_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_MOST_TICKS: Final = 8
_TINY: Final = 1e-100


@dataclass(frozen=True)
class Axis:
    """An axis of values; its first tick, the least value, is drawn at `start` and its last one at `end`."""

    ticks: list[float]
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the coordinate of a value, within the axis."""
        low, high = self.ticks[0], self.ticks[-1]
        share = min(max((value - low) / (high - low), 0.0), 1.0)
        return self.start + share * (self.end - self.start)


def axis_for(numbers: list[float], *, start: float, end: float, from_zero: bool, wanted: int = 4) -> Axis:
    """Return an axis that holds all numbers, of which there is at least one."""
    edges = [*numbers, 0.0] if from_zero else numbers
    low, high = _padded(min(edges), max(edges))
    if from_zero and min(numbers) >= 0:
        low = 0.0
    step = _round_step((high - low) / wanted)
    first = math.floor(low / step)
    count = min(max(math.ceil(high / step) - first, 1), _MOST_TICKS)
    ticks = [round((first + index) * step, 12) if step > 1e-9 else (first + index) * step for index in range(count + 1)]
    return Axis(ticks, start, end)


def plain_axis(numbers: list[float], *, start: float, end: float) -> Axis:
    """Return an axis from the least to the greatest of the numbers, for a line without labels."""
    return Axis([*_padded(min(numbers), max(numbers))], start, end)


def spread(count: int, left: float, right: float) -> list[float]:
    """Return `count` places from left to right; a single one stands at the right."""
    if count == 1:
        return [right]
    return [left + (right - left) * index / (count - 1) for index in range(count)]


def coordinate(value: float) -> str:
    """Return a coordinate with a point, whatever the language."""
    return f"{value:.1f}"


def polyline(points: list[tuple[float, float]]) -> str:
    """Return the points of a line as SVG writes them."""
    return " ".join(f"{coordinate(x)},{coordinate(y)}" for x, y in points)


def area(points: list[tuple[float, float]], bottom: float) -> str:
    """Return the path of the area between a line and the bottom."""
    start, end = coordinate(points[0][0]), coordinate(points[-1][0])
    line = " L".join(f"{coordinate(x)},{coordinate(y)}" for x, y in points)
    return f"M{start},{coordinate(bottom)} L{line} L{end},{coordinate(bottom)} Z"


def _padded(low: float, high: float) -> tuple[float, float]:
    """Make room where all numbers are (nearly) the same, so that their line runs through the middle."""
    largest = max(abs(low), abs(high))
    if high - low > max(1e-9 * largest, _TINY):
        return low, high
    room = largest * 0.1 if largest > 1e-6 else 1.0
    return low - room, high + room


def _round_step(raw: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in _ROUND_STEPS if factor * power >= raw * (1 - 1e-9))
