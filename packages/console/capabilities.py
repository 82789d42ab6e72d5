"""The capabilities of a version as a review page shows them: the most changed first, with what changed line by line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from packages.drift import DriftReport, Level
from packages.models import Version
from packages.surface import render_capability

# Longer descriptors are not compared line by line: the drift above says what matters, and the page stays quick.
MAX_COMPARED_LINES = 600
_NEW, _UNCHANGED = "new", "unchanged"
_ORDER = [Level.BREAKING, _NEW, Level.WIDENING, Level.NARROWING, Level.COMPATIBLE, _UNCHANGED]
_LINE_KINDS = {"+": "added", "-": "removed", "@": "place"}


@dataclass(frozen=True)
class ShownCapability:
    """One capability: `change` is new, unchanged, a level of drift, or empty where nothing was listed before."""

    descriptor: dict[str, Any]
    rendering: Any
    json: str
    change: str
    lines: list[tuple[str, str]]


def pretty_json(value: Any) -> str:
    """Write JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def shown_capabilities(version: Version, base: Version | None, drift: DriftReport | None) -> list[ShownCapability]:
    """Return a version's capabilities, what changed most since the base first; `drift` compares the two."""
    before = {item["name"]: item for item in base.capabilities} if base else {}
    levels = _levels(drift) if drift else {}
    shown = []
    for index, item in enumerate(version.capabilities):
        old = before.get(item["name"])
        change = _change(old, levels.get(index)) if base else ""
        lines = list(_lines(old, item)) if old is not None and change != _UNCHANGED else []
        shown.append(ShownCapability(item, render_capability(item), pretty_json(item), change, lines))
    return sorted(shown, key=lambda each: _ORDER.index(each.change)) if base else shown


def _change(old: dict[str, Any] | None, level: Level | None) -> str:
    if old is None:
        return _NEW
    return level.value if level is not None else _UNCHANGED


def _levels(drift: DriftReport) -> dict[int, Level]:
    """Return the gravest level of each capability by its index; what is gone has no place in the version."""
    found: dict[int, Level] = {}
    for change in drift.changes:
        if change.kind != "capability_removed":
            index = int(change.pointer.split("/")[2])
            found[index] = max(found.get(index, Level.COMPATIBLE), change.level, key=list(Level).index)
    return found


def _lines(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the lines that differ, and three around them, each with its kind."""
    before, after = pretty_json(old).splitlines(), pretty_json(new).splitlines()
    if max(len(before), len(after)) > MAX_COMPARED_LINES:
        return
    for number, line in enumerate(unified_diff(before, after, lineterm="")):
        if number > 1:  # The first two name the files, and there are none.
            yield _LINE_KINDS.get(line[0], "same"), line
