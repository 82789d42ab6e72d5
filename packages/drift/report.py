"""Compares two versions capability by capability; pure, and the only place that judges a change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiffinity.lib.schemas import SENSITIVITY_LEVELS, child_pointer, sensitivities
from packages.drift.levels import Change, Level
from packages.drift.schemas import Side, compare_schemas
from runtime.descriptors import input_schema, output_schema
from runtime.risk_tiers import RISK_TIERS

__all__ = ["Change", "Consent", "DriftReport", "Level", "compare"]

Descriptor = dict[str, Any]

# Fields of a descriptor that are compared on their own; a change of any other one breaks nothing.
_JUDGED = {"name", "mode", "schema", "permissions", "risk_level", "confirmation_required", "capability_id"}


class Consent(StrEnum):
    """Kinds of change after which users must consent again."""

    PERMISSION = "permission_widened"
    SENSITIVITY = "sensitivity_widened"
    RISK = "risk_level_raised"
    CONFIRMATION = "confirmation_dropped"


@dataclass(frozen=True)
class DriftReport:
    """The changes from one version to another; without any it is compatible."""

    changes: tuple[Change, ...]

    @property
    def level(self) -> Level:
        """The gravest level of all changes."""
        return max((change.level for change in self.changes), default=Level.COMPATIBLE, key=list(Level).index)

    @property
    def breaking(self) -> list[Change]:
        """The changes that break what was promised."""
        return [change for change in self.changes if change.level is Level.BREAKING]

    @property
    def is_breaking(self) -> bool:
        """Whether anything that worked before may fail now."""
        return bool(self.breaking)

    @property
    def needs_consent(self) -> bool:
        """Whether users have to consent again: more is asked for than they agreed to."""
        kinds = {kind.value for kind in Consent}
        return any(change.kind in kinds for change in self.changes)

    @property
    def bump(self) -> str:
        """The least step of the version number: major, minor or patch."""
        if self.is_breaking:
            return "major"
        return "patch" if self.level is Level.COMPATIBLE else "minor"

    def as_dict(self) -> dict[str, Any]:
        """Render the report for the API."""
        return {
            "level": self.level.value,
            "is_breaking": self.is_breaking,
            "needs_consent": self.needs_consent,
            "bump": self.bump,
            "changes": [change.as_dict() for change in self.changes],
        }


def compare(before: Sequence[Descriptor], after: Sequence[Descriptor]) -> DriftReport:
    """Compare two versions' descriptors; pointers lead into the later one, or the earlier for what is gone."""
    old = {item["name"]: (index, item) for index, item in enumerate(before)}
    new = {item["name"]: (index, item) for index, item in enumerate(after)}
    changes: list[Change] = []
    for name, (index, item) in old.items():
        if name not in new:
            message = f"The capability {name} was removed."
            changes.append(Change("capability_removed", Level.BREAKING, f"/capabilities/{index}", message))
        else:
            place, later = new[name]
            changes.extend(_compare_capability(item, later, f"/capabilities/{place}"))
    for name, (index, item) in new.items():
        if name not in old:
            changes.extend(_added_capability(item, f"/capabilities/{index}"))
    return DriftReport(tuple(dict.fromkeys(changes)))


def _added_capability(item: Descriptor, pointer: str) -> Iterator[Change]:
    yield Change("capability_added", Level.WIDENING, pointer, f"The capability {item['name']} was added.")
    yield from _permissions({}, item, pointer)
    yield from _sensitivity({}, item, pointer)


def _compare_capability(old: Descriptor, new: Descriptor, pointer: str) -> Iterator[Change]:
    if old["mode"] != new["mode"]:
        message = f"The mode changed from {old['mode']} to {new['mode']}."
        yield Change("mode_changed", Level.BREAKING, f"{pointer}/mode", message)
        return
    place = f"{pointer}/schema"
    yield from compare_schemas(input_schema(old), input_schema(new), Side.INPUT, _side_pointer(new, place, "input"))
    yield from compare_schemas(output_schema(old), output_schema(new), Side.OUTPUT, _side_pointer(new, place, "output"))
    yield from _permissions(old, new, pointer)
    yield from _sensitivity(old, new, pointer)
    yield from _confirmation(old, new, pointer)
    yield from _risk(old, new, pointer)
    for field in sorted((old.keys() | new.keys()) - _JUDGED):
        if old.get(field) != new.get(field):
            message = f"{field} changed."
            yield Change("field_changed", Level.COMPATIBLE, child_pointer(pointer, field), message)


def _side_pointer(descriptor: Descriptor, pointer: str, side: str) -> str:
    return f"{pointer}/{side}" if side in descriptor["schema"] else pointer


def _permissions(old: Descriptor, new: Descriptor, pointer: str) -> Iterator[Change]:
    before, after = set(old.get("permissions") or ()), set(new.get("permissions") or ())
    for scope in sorted(after - before):
        message = f"The permission {scope} is asked for."
        yield Change(Consent.PERMISSION, Level.WIDENING, f"{pointer}/permissions", message)
    for scope in sorted(before - after):
        message = f"The permission {scope} is no longer asked for."
        yield Change("permission_narrowed", Level.NARROWING, f"{pointer}/permissions", message)


def _sensitivity(old: Descriptor, new: Descriptor, pointer: str) -> Iterator[Change]:
    before, after = _marks(old), _marks(new)
    rank = SENSITIVITY_LEVELS.index
    for place in sorted(before.keys() | after.keys()):
        was, now = before.get(place, "none"), after.get(place, "none")
        where = f"{pointer}/schema{place}"
        if rank(now) > rank(was):
            message = f"The sensitivity rose from {was} to {now}."
            yield Change(Consent.SENSITIVITY, Level.WIDENING, where, message)
        elif rank(now) < rank(was):
            message = f"The sensitivity fell from {was} to {now}."
            yield Change("sensitivity_narrowed", Level.NARROWING, where, message)


def _marks(descriptor: Descriptor) -> dict[str, str]:
    schema = descriptor.get("schema", {})
    sides = {f"/{side}": schema[side] for side in ("input", "output") if side in schema} or {"": schema}
    return {f"{prefix}{place}": level for prefix, side in sides.items() for place, level in sensitivities(side).items()}


def _confirmation(old: Descriptor, new: Descriptor, pointer: str) -> Iterator[Change]:
    was, now = _is_confirmed(old), _is_confirmed(new)
    if was and not now:
        message = "The user's confirmation is no longer asked for."
        yield Change(Consent.CONFIRMATION, Level.WIDENING, f"{pointer}/confirmation_required", message)
    elif now and not was:
        message = "The user's confirmation is asked for now."
        yield Change("confirmation_added", Level.NARROWING, f"{pointer}/confirmation_required", message)


def _is_confirmed(descriptor: Descriptor) -> bool:
    return bool(descriptor.get("confirmation_required", descriptor["mode"] == "action"))


def _risk(old: Descriptor, new: Descriptor, pointer: str) -> Iterator[Change]:
    was, now = old.get("risk_level") or RISK_TIERS[0], new.get("risk_level") or RISK_TIERS[0]
    if was == now:
        return
    is_raised = RISK_TIERS.index(now) > RISK_TIERS.index(was)
    kind = Consent.RISK if is_raised else "risk_level_lowered"
    level = Level.WIDENING if is_raised else Level.NARROWING
    yield Change(kind, level, f"{pointer}/risk_level", f"The risk level changed from {was} to {now}.")
