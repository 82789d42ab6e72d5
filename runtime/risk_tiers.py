"""Risk tiers in their order, and what a capability demands at least (spec 3)."""

from collections.abc import Iterable
from typing import Any, Final

from aiffinity.lib.schemas import SENSITIVITY_LEVELS, highest_sensitivity

RISK_TIERS: Final = ("data_only", "action_capable", "high_trust", "strategic_surface")

_TIER_OF_SENSITIVITY: Final = {
    "none": "data_only",
    "personal": "data_only",
    "financial": "high_trust",
    "health": "high_trust",
    "credential": "high_trust",
}


def highest_tier(tiers: Iterable[str]) -> str:
    """Return the highest of some risk tiers, data_only for none."""
    return max(tiers, key=RISK_TIERS.index, default=RISK_TIERS[0])


def default_risk_level(mode: str) -> str:
    """Return the tier of a capability that names none: what acts needs more than what only tells."""
    return "action_capable" if mode == "action" else "data_only"


def least_tier(descriptor: dict[str, Any]) -> str:
    """Return the lowest risk tier that a package with this normalised descriptor may have.

    It is the highest of the descriptor's own risk_level, of action_capable for an action (whatever it says
    of itself), and of what its marks demand: financial, health and credential ask for high_trust, whose
    attestations (data handling, encryption, breach notice) are made for them. personal asks for nothing
    beyond consent: nearly all that a user connects is personal, data_only is the tier of reading it, and a
    dearer tier for an honest mark would teach providers not to mark. Only marks count; the documents'
    recent_transactions carries none and stays data_only.
    """
    marks = highest_sensitivity_of(descriptor)
    mode_default = default_risk_level(descriptor["mode"])
    return highest_tier([descriptor["risk_level"], mode_default, _TIER_OF_SENSITIVITY[marks]])


def highest_sensitivity_of(descriptor: dict[str, Any]) -> str:
    """Return the highest x-sensitivity that a descriptor's schemas mark, input and output alike."""
    schema = descriptor["schema"]
    parts = [schema[side] for side in ("input", "output") if side in schema] or [schema]
    return max((highest_sensitivity(part) for part in parts), key=SENSITIVITY_LEVELS.index)
