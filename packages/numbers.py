"""Version numbers: MAJOR.MINOR.PATCH (semver 2.0.0 without pre-releases and build metadata)."""

import re
from collections.abc import Iterable
from typing import NamedTuple

FIRST = "1.0.0"
_PATTERN = re.compile(r"\A(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\Z")


class Number(NamedTuple):
    """A version number in its three parts; numbers compare as semver does."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def parse_number(text: str) -> Number | None:
    """Read a version number, None for anything else."""
    match = _PATTERN.match(text)
    return Number(*(int(part) for part in match.groups())) if match else None


def next_number(taken: Iterable[str], bump: str) -> str:
    """Return the next number after the highest one taken; `bump` is major, minor or patch."""
    highest = max((number for text in taken if (number := parse_number(text))), default=None)
    if highest is None:
        return FIRST
    if bump == "major":
        return str(Number(highest.major + 1, 0, 0))
    if bump == "minor":
        return str(Number(highest.major, highest.minor + 1, 0))
    return str(Number(highest.major, highest.minor, highest.patch + 1))


def is_major_step(before: str, after: str) -> bool:
    """Say whether the later number has a higher major part."""
    old, new = parse_number(before), parse_number(after)
    return old is not None and new is not None and new.major > old.major
