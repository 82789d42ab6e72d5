"""How long the drift report of two large versions takes: `python -m bench.drift`."""

import sys
from itertools import islice, product
from typing import Any

from bench.figures import Bar, measure_ms, p50, p95, report
from bench.platforms import platform

CAPABILITIES = 50
FIELDS_OF_WIDE_ONE = 20
TIMES = 200
LIMIT_MS = 50


def capabilities(stage: int) -> list[dict[str, Any]]:
    """Return the capabilities of a made-up version; from one stage to another each of them changes."""
    from catalog.seeding.shapes import descriptor_of
    from catalog.seeding.themes import THEMES
    from runtime.descriptors import MODES

    return [descriptor_of(theme, mode, stage=stage) for mode, theme in islice(product(MODES, THEMES), CAPABILITIES)]


def widened(descriptors: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Give every answer many more fields of a type."""
    more = {f"extra_{number}": {"type": kind, "maximum": 9} for number in range(FIELDS_OF_WIDE_ONE)}
    found = []
    for item in descriptors:
        output = item["schema"]["output"]
        output = {**output, "properties": {**output["properties"], **more}}
        found.append({**item, "schema": {**item["schema"], "output": output}})
    return found


def measure() -> list[Bar]:
    """Compare versions of 50 capabilities of which every one changed."""
    from catalog.seeding.shapes import BASE, BROKEN
    from packages.drift import compare

    before, after = capabilities(BASE), capabilities(BROKEN)
    wide_before, wide_after = widened(before, "integer"), widened(after, "number")
    plain = measure_ms(lambda: compare(before, after), TIMES)
    wide = measure_ms(lambda: compare(wide_before, wide_after), TIMES)
    changes, wide_changes = len(compare(before, after).changes), len(compare(wide_before, wide_after).changes)
    return [
        Bar(f"median, {changes} changes", p50(plain), LIMIT_MS, "ms"),
        Bar("p95", p95(plain), LIMIT_MS, "ms"),
        Bar(f"median, {FIELDS_OF_WIDE_ONE} more fields each, {wide_changes} changes", p50(wide), LIMIT_MS, "ms"),
    ]


def main() -> int:
    """Print the figures; the status is 1 when a bar is missed."""
    with platform():
        bars = measure()
    return report(f"Drift: two versions of {CAPABILITIES} capabilities each, {TIMES} times", bars)


if __name__ == "__main__":
    sys.exit(main())
