"""Strings and numbers that fit the keywords of a schema."""

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from aiffinity.lib.schemas.pattern_samples import SampleError, sample_for_pattern

MAX_EXAMPLE_CHARACTERS = 10_000

FORMAT_EXAMPLES = {
    "date": "2026-01-15",
    "date-time": "2026-01-15T09:30:00Z",
    "duration": "PT15M",
    "email": "person@example.com",
    "hostname": "example.com",
    "idn-email": "person@example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "iri": "https://example.com/",
    "iri-reference": "/path",
    "json-pointer": "/field",
    "regex": "a*",
    "relative-json-pointer": "0",
    "time": "09:30:00Z",
    "uri": "https://example.com/",
    "uri-reference": "/path",
    "uri-template": "https://example.com/{id}",
    "uuid": "7d444840-9dc0-41d1-b245-5ffdce74fad2",
}
_VARIANTS = 200


def string_candidates(flat: dict[str, Any]) -> Iterator[str]:
    """Yield texts for format, pattern and lengths, then numbered ones for lists of different items."""
    least, most = flat.get("minLength", 0), flat.get("maxLength", MAX_EXAMPLE_CHARACTERS)
    if flat.get("format") in FORMAT_EXAMPLES:
        given = FORMAT_EXAMPLES[flat["format"]]
        yield given
        if len(given) < least <= MAX_EXAMPLE_CHARACTERS:
            yield from (given.ljust(int(least), "a"), given.rjust(int(least), "a"))
    if "pattern" in flat:
        yield from _pattern_candidates(flat["pattern"], int(least))
        yield from FORMAT_EXAMPLES.values()
    if least > MAX_EXAMPLE_CHARACTERS:
        return
    yield "text"[: int(most)].ljust(int(least), "x")
    for number in range(1, _VARIANTS):
        yield f"{number}"[: int(most)].ljust(int(least), "x")


def _pattern_candidates(pattern: str, least: int) -> Iterator[str]:
    try:
        sample = sample_for_pattern(pattern)
    except (SampleError, ValueError):
        return
    yield sample
    if sample and len(sample) < least <= MAX_EXAMPLE_CHARACTERS:
        yield sample + sample[-1] * (least - len(sample))
        yield sample[0] * (least - len(sample)) + sample
        yield (sample * least)[:least]


def number_candidates(flat: dict[str, Any], *, is_integer: bool) -> Iterator[int | float]:
    """Yield numbers near zero and near the bounds, on the grid of multipleOf."""
    step = Decimal(str(flat.get("multipleOf", 1)))
    if is_integer and step != step.to_integral_value():
        step *= Decimal(10) ** -int(step.as_tuple().exponent)
    bounds = [flat[keyword] for keyword in ("minimum", "exclusiveMinimum") if keyword in flat]
    upper = [flat[keyword] for keyword in ("maximum", "exclusiveMaximum") if keyword in flat]
    starts = [Decimal(0), *(Decimal(str(bound)) for bound in (*bounds, *upper))]
    for start in starts:
        for rounding in (ROUND_CEILING, ROUND_FLOOR):
            base = (start / step).to_integral_value(rounding)
            for offset in (0, 1, -1):
                yield _number((base + offset) * step)
    if bounds and upper and not is_integer:
        yield _number((max(starts[1 : 1 + len(bounds)]) + min(starts[1 + len(bounds) :])) / 2)
    for number in range(2, _VARIANTS):
        yield _number((starts[-1] / step).to_integral_value(ROUND_FLOOR) * step - number * step)
        yield _number((starts[min(1, len(starts) - 1)] / step).to_integral_value(ROUND_CEILING) * step + number * step)


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
