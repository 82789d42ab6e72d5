"""How grave a change is, and what is said about one."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a change concerns those who rely on the earlier version, the least first."""

    COMPATIBLE = "compatible"
    NARROWING = "narrowing"
    WIDENING = "widening"
    BREAKING = "breaking"


@dataclass(frozen=True)
class Change:
    """One change; `pointer` is a JSON Pointer into the version."""

    kind: str
    level: Level
    pointer: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """Render the change for the API."""
        return {
            "kind": str(self.kind),
            "level": self.level.value,
            "pointer": self.pointer,
            "message": self.message,
        }
