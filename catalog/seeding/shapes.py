"""Capabilities of made-up packages: canonical descriptors of five modes, in stages that differ as versions do."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from catalog.seeding.fields import Field, Part, Theme
from packages.drift import compare
from packages.models import RiskTier
from runtime.templates import require_descriptor

# What changes from one stage to the next; each stage keeps what the one before changed.
BASE, REWORDED, EXTENDED, WIDENED, BROKEN = range(5)
MARKED_TIERS = (RiskTier.HIGH_TRUST, RiskTier.STRATEGIC_SURFACE)
MODES_OF_TIER: dict[RiskTier, tuple[tuple[str, ...], ...]] = {
    RiskTier.DATA_ONLY: (
        ("state", "history"),
        ("state", "realtime"),
        ("history", "webhook"),
        ("state", "history", "realtime", "webhook"),
    ),
    RiskTier.ACTION_CAPABLE: (("state", "action"), ("state", "action", "history"), ("history", "action", "webhook")),
    RiskTier.HIGH_TRUST: (("state", "history"), ("state", "history", "action")),
    RiskTier.STRATEGIC_SURFACE: (("state", "action", "history", "realtime", "webhook"),),
}

_MOMENT = Field("at", "2026-03-14T09:26:00Z", "When it was.", form="date-time")
_SOURCE = Field("source", "own measurement", "Where the figure comes from.")
_LINK = Field("url", "https://app.example/items/17", "Where it can be seen.", form="uri")


@dataclass(frozen=True)
class Shape:
    """Which capabilities a version has, and how far they have grown; the first one changes with the stage."""

    theme: Theme
    tier: RiskTier
    modes: tuple[str, ...]
    stage: int = BASE


def descriptors_of(shape: Shape) -> list[dict[str, Any]]:
    """Return the canonical descriptors of a shape, which have passed the checks of the door."""
    is_marked = shape.tier in MARKED_TIERS
    return [
        descriptor_of(shape.theme, mode, is_marked=is_marked, stage=BASE if place else shape.stage)
        for place, mode in enumerate(shape.modes)
    ]


@cache
def descriptor_of(theme: Theme, mode: str, *, is_marked: bool = False, stage: int = BASE) -> dict[str, Any]:
    """Return one canonical descriptor. Callers share it and must not change it."""
    part = part_of(theme, mode)
    outputs = _outputs(part, mode, theme, stage)
    takes = {"state": (theme.subject,), "history": (theme.subject,), "action": part.fields}.get(mode, ())
    schema: dict[str, Any] = {"output": _object(outputs, mark=theme.mark if is_marked else "")}
    if takes:
        schema["input"] = {**_object(takes), "additionalProperties": False}
    return require_descriptor(
        {
            "name": part.name,
            "mode": mode,
            "description": f"{part.about}{', up to date' if stage >= REWORDED else ''}.",
            "permissions": [f"{theme.noun}:read", *([f"{theme.noun}:share"] if stage >= WIDENED else [])],
            "schema": schema,
            "examples": [{"params": _sample(takes), "data": _answer(mode, outputs)}],
            "surface_guidance": _guidance(mode, outputs),
            **_mode_fields(mode),
        }
    )


@cache
def bump_between(before: Shape, after: Shape) -> str:
    """Return the step of the version number from one shape to another."""
    return compare(descriptors_of(before), descriptors_of(after)).bump


def part_of(theme: Theme, mode: str) -> Part:
    """Return what a theme says about a mode; streams and pushes tell the same as the state."""
    noun = theme.noun
    return {
        "state": theme.state,
        "action": theme.action,
        "history": theme.history,
        "realtime": Part(f"live_{noun}s", f"Every {noun} in the moment in which it changes", theme.state.fields),
        "webhook": Part(f"{noun}_changed", f"Tells when a {noun} is made or changes", theme.history.fields),
    }[mode]


def _outputs(part: Part, mode: str, theme: Theme, stage: int) -> tuple[Field, ...]:
    fields = part.fields
    if mode == "action":
        fields = (Field(f"{theme.noun}_id", "n-17", "Id of what was made."), _LINK)
    elif mode != "state":
        fields = (Field("id", "n-17", "Id of the entry."), _MOMENT, *fields)
    if stage == BROKEN:
        fields = fields[:-1]
    return (*fields, _SOURCE) if stage >= EXTENDED else fields


def _object(fields: Sequence[Field], mark: str = "") -> dict[str, Any]:
    properties = {field.name: field.schema() for field in fields}
    first_number = next((field.name for field in fields if not isinstance(field.sample, str)), None)
    if mark and first_number:
        properties[first_number]["x-sensitivity"] = mark
    required = [field.name for field in fields if field is not _SOURCE]
    return {"type": "object", "properties": properties, "required": required}


def _sample(fields: Sequence[Field]) -> dict[str, Any]:
    return {field.name: field.sample for field in fields}


def _answer(mode: str, outputs: Sequence[Field]) -> Any:
    if mode != "history":
        return _sample(outputs)
    return [{**_sample(outputs), "id": f"n-{number}"} for number in (17, 16, 15)]


def _guidance(mode: str, outputs: Sequence[Field]) -> dict[str, Any]:
    has_share = any(field.most is not None for field in outputs)
    intent, placement, components = {
        "state": ("ambient_context", ["home_widgets", "daily_brief"], ["stat_row", *["progress"] * has_share]),
        "action": ("act", ["conversation"], ["card"]),
        "history": ("inform", ["detail_view", "search"], ["timeline", "list"]),
        "realtime": ("inform", ["home_widgets"], ["stat_row"]),
        "webhook": ("remind", ["notifications"], ["card"]),
    }[mode]
    return {"intent": intent, "placement": placement, "preferred_components": components}


def _mode_fields(mode: str) -> dict[str, Any]:
    fields: dict[str, dict[str, Any]] = {
        "state": {"refresh_interval_seconds": 900},
        "action": {"confirmation_required": True},
        "history": {"max_items_per_page": 50, "cursor_field": "id"},
        "realtime": {"protocol": "sse", "heartbeat_interval_seconds": 30},
        "webhook": {"events": ["created", "updated", "deleted"]},
    }
    return fields[mode]
