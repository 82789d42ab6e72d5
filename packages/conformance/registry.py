"""What a conformance check is, and the registry that the decorators fill (spec 3 "Conformance suite").

Adding a check means adding one function with a decorator to the module of its dimension. Rooms upstairs add
theirs in `AppConfig.ready()`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from runtime.descriptors import MODES

if TYPE_CHECKING:
    from packages.conformance.case import Case

DIMENSION_WEIGHTS = {
    "schema": 20,
    "contract": 25,
    "reliability": 15,
    "performance": 15,
    "security": 15,
    "guidance": 10,
}
CALLED_MODES = ("state", "action", "history")
READ_MODES = ("state", "history")

Descriptor = dict[str, Any]


class State(StrEnum):
    """How a check ended; `error` means that the fault is the platform's."""

    PASS = "pass"  # noqa: S105 - A state, not a password.
    FAIL = "fail"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True)
class Finding:
    """What a check found; `pointer` leads into the capability's descriptor, or into the listing."""

    state: State
    message: str
    pointer: str = ""


def passed(message: str) -> Finding:
    """Make a finding: all is well."""
    return Finding(State.PASS, message)


def failed(message: str, pointer: str = "") -> Finding:
    """Make a finding: something is wrong, and the message says what to do."""
    return Finding(State.FAIL, message, pointer)


def not_applicable(message: str) -> Finding:
    """Make a finding: there is nothing here for this check."""
    return Finding(State.NOT_APPLICABLE, message)


def judge(is_good: bool, good: str, bad: str, pointer: str = "") -> Finding:  # noqa: FBT001 - It reads as a condition.
    """Make a passing or a failing finding."""
    return passed(good) if is_good else failed(bad, pointer)


@dataclass(frozen=True)
class Check:
    """One registered check; `weight` counts within its dimension, shared by the capabilities it is asked for.

    A failed check with `is_blocking` fails the run whatever the score.
    """

    name: str
    dimension: str
    weight: float
    is_blocking: bool
    title: str
    modes: tuple[str, ...]
    for_version: Callable[["Case"], Finding] | None = None
    for_capability: Callable[["Case", Descriptor], Finding] | None = None


CHECKS: dict[str, Check] = {}


def version_check(
    dimension: str, *, weight: float = 1, is_blocking: bool = False
) -> Callable[[Callable[["Case"], Finding]], Callable[["Case"], Finding]]:
    """Register a check that is asked once a run."""

    def register(function: Callable[["Case"], Finding]) -> Callable[["Case"], Finding]:
        _add(Check(**_about(function, dimension, weight), is_blocking=is_blocking, modes=MODES, for_version=function))
        return function

    return register


def capability_check(
    dimension: str, *, weight: float = 1, is_blocking: bool = False, modes: tuple[str, ...] = MODES
) -> Callable[[Callable[["Case", Descriptor], Finding]], Callable[["Case", Descriptor], Finding]]:
    """Register a check that is asked for each capability of those modes."""

    def register(
        function: Callable[["Case", Descriptor], Finding],
    ) -> Callable[["Case", Descriptor], Finding]:
        _add(
            Check(**_about(function, dimension, weight), is_blocking=is_blocking, modes=modes, for_capability=function)
        )
        return function

    return register


def _about(function: Callable[..., Finding], dimension: str, weight: float) -> dict[str, Any]:
    title = (function.__doc__ or "").strip().partition("\n")[0]
    return {"name": function.__name__, "dimension": dimension, "weight": weight, "title": title}


def _add(check: Check) -> None:
    if check.dimension not in DIMENSION_WEIGHTS:
        raise ValueError(f"There is no dimension '{check.dimension}'.")
    if check.name in CHECKS:
        raise ValueError(f"There is a check '{check.name}' already.")
    CHECKS[check.name] = check
