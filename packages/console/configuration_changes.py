"""An app's hosts and sign-in beside those that were approved, as a review page shows them."""

from dataclasses import dataclass
from typing import Any

from packages.models import Review, ReviewKind
from packages.policy import GateCase
from runtime.auth_profiles import config_parts


@dataclass(frozen=True)
class ConfigurationChange:
    """One address or setting that differs; what is not set is empty."""

    name: str
    before: str
    now: str


def configuration_changes(review: Review, case: GateCase) -> list[ConfigurationChange]:
    """Return what differs between the approved configuration and the app's, empty where none was approved."""
    approved = _approved(review, case)
    if approved is None or case.runtime_app is None:
        return []
    before, now = _flat(approved), _flat(config_parts(case.runtime_app))
    names = sorted(before.keys() | now.keys())
    changes = [ConfigurationChange(name, before.get(name, ""), now.get(name, "")) for name in names]
    return [change for change in changes if change.before != change.now]


def _approved(review: Review, case: GateCase) -> dict[str, Any] | None:
    """Return the configuration that was approved last: of the version under re-review, else of what users have."""
    version = case.base if review.kind == ReviewKind.SUBMISSION else case.version
    return version.approved_config if version is not None else None


def _flat(parts: dict[str, Any]) -> dict[str, str]:
    """Return addresses and settings by name; both are of `runtime.auth_profiles.config_parts`."""
    urls, profile = parts["urls"], parts["auth_profile"] or {}
    strategy = profile.get("strategy", "none")
    settings = {"strategy": strategy, **(profile.get(strategy) or {})}
    named = {f"sign-in: {name}": value for name, value in settings.items() if name not in urls}
    return {name: _in_words(value) for name, value in {**urls, **named}.items()}


def _in_words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
