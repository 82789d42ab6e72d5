"""What of an app's configuration an approval binds, and what widened since (spec 3 "Approval covers what it saw")."""

from typing import Any

from django.utils import timezone

from packages.models import Version
from runtime.auth_profiles import config_hash, config_parts
from runtime.models import RuntimeApp


def approval_columns(version: Version) -> dict[str, Any]:
    """Return the columns that bind an approval to what a version and its app hold now."""
    runtime_app = RuntimeApp.objects.filter(pk=version.package.app_id).first()
    return {
        "approved_at": timezone.now(),
        "approved_content_hash": version.content_hash,
        "approved_config_hash": runtime_app.config_hash if runtime_app else "",
        "approved_config": config_parts(runtime_app) if runtime_app else None,
    }


def is_covered(version: Version, runtime_app: RuntimeApp) -> bool:
    """Say whether a version may run as it is: nothing changed since its approval, or what changed is narrower."""
    if version.approved_content_hash != version.content_hash:
        return False
    if version.approved_config_hash == runtime_app.config_hash:
        return True
    if version.approved_config is None or config_hash(runtime_app) != runtime_app.config_hash:
        return False
    return not widened_parts(version.approved_config, config_parts(runtime_app))


def widened_parts(approved: dict[str, Any], current: dict[str, Any]) -> list[str]:
    """Name what goes further than what was approved; both are `runtime.auth_profiles.config_parts`.

    Gone addresses, scopes that are no longer asked for, PKCE switched on and a profile taken away are narrower;
    every other change goes further.
    """
    found = [f"{name} leads elsewhere" for name, url in current["urls"].items() if approved["urls"].get(name) != url]
    before, after = approved["auth_profile"] or {}, current["auth_profile"] or {}
    if after and before.get("strategy") != after["strategy"]:
        return [*found, "the auth profile has another strategy"]
    old, new = _settings(before), _settings(after)
    found += [
        f"{name} of the auth profile changed"
        for name in sorted(new)
        if not _is_narrower(name, old.get(name), new[name])
    ]
    return list(dict.fromkeys(found))


def _settings(profile: dict[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = profile.get(profile.get("strategy", ""), {})
    return settings


def _is_narrower(name: str, old: Any, new: Any) -> bool:
    if old == new:
        return True
    if name == "scopes":
        return set(new or ()) <= set(old or ())
    return name == "pkce_required" and bool(new)
