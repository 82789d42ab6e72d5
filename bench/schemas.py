"""What judging a value by a schema costs: `python -m bench.schemas`."""

import sys
from typing import Any

from jsonschema import Draft202012Validator

from aiffinity.lib.schemas import compiled, validate
from bench.figures import Bar, measure_ms, p50, report

CALLS = 2_000
TIMES = 25
LIMIT_MICROSECONDS = 500
LEAST_RATIO = 50
WEATHER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "location": {"type": "string"},
        "temperature_c": {"type": "number"},
        "condition": {"type": "string", "enum": ["sunny", "cloudy", "rainy", "snowy", "windy", "stormy"]},
        "humidity_pct": {"type": "number", "minimum": 0, "maximum": 100},
    },
    "required": ["location", "temperature_c", "condition"],
}
VALUE = {"location": "Oslo", "temperature_c": 17.3, "condition": "cloudy", "humidity_pct": 63}


def microseconds(judge: Any) -> float:
    """Return the median time of one call."""
    return p50(measure_ms(lambda: [judge(VALUE) for _ in range(CALLS)], TIMES)) * 1000 / CALLS


def main() -> int:
    """Print the figures; the status is 1 when a bar is missed."""
    ours, reference = microseconds(compiled(WEATHER).is_valid), microseconds(Draft202012Validator(WEATHER).is_valid)
    whole = microseconds(lambda value: validate(WEATHER, value))
    bars = [
        Bar("validate, with the look-up of its schema", whole, LIMIT_MICROSECONDS, "µs"),
        Bar("a compiled schema alone", ours, LIMIT_MICROSECONDS, "µs"),
        Bar("a compiled schema against a compiled jsonschema", reference / ours, LEAST_RATIO, "times", is_floor=True),
    ]
    return report(f"Schemas: the documents' current_weather, medians of {TIMES} rounds of {CALLS} calls", bars)


if __name__ == "__main__":
    sys.exit(main())
