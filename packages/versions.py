"""Making and editing versions (spec 2 "Packages", spec 3)."""

from typing import Any

from django.db import transaction

from aiffinity.lib.audit import append_audit
from aiffinity.lib.errors import Conflict, field_error
from aiffinity.lib.views import get_owned
from packages.descriptors import freeze_capabilities, hash_of
from packages.drift import DriftReport, compare
from packages.guards import Attempt
from packages.models import Package, Version, VersionState
from packages.numbers import FIRST, next_number, parse_number
from packages.policy import listed_base_of
from packages.reviewing.cases import close_review
from packages.runs import cancel_open_run
from packages.states import Verb, transition
from runtime.models import RuntimeApp


def add_version(package: Package, attempt: Attempt, fields: dict[str, Any]) -> Version:
    """Make a draft version of a package.

    `fields` are capabilities and, optional, risk_tier (the package's last by default), changelog, version and
    publish_on_approval. The first version is 1.0.0; later ones get the number that their drift from the listed
    version asks for, unless one is given. Raises VALIDATION_ERROR (400), CONFLICT (409) for a number in use, and
    what `freeze_capabilities` raises.
    """
    with transaction.atomic():
        locked = Package.objects.select_for_update(no_key=True, of=("self",)).select_related("app", "account")
        package = get_owned(locked, package.pk)
        numbers = dict(package.versions.values_list("version", "risk_tier").order_by("created_at"))
        tier = fields.get("risk_tier") or next(reversed(numbers.values()), None)
        if tier is None:
            raise field_error("risk_tier", "This field is required.", code="required")
        capabilities = freeze_capabilities(
            require_runtime_app(package.app_id), fields["capabilities"], actor=attempt.actor
        )
        version = Version(
            package=package,
            risk_tier=tier,
            capabilities=capabilities,
            content_hash=hash_of(capabilities, tier),
            changelog=fields.get("changelog", ""),
            is_published_on_approval=fields.get("publish_on_approval", False),
        )
        version.version = _number_for(version, fields.get("version"), list(numbers))
        version.save(force_insert=True)
        append_audit(
            subject=version.pk,
            action="version.created",
            actor=attempt.actor,
            to_state=version.state,
            content_hash=version.content_hash,
        )
    return version


def edit_version(version: Version, attempt: Attempt, fields: dict[str, Any]) -> Version:
    """Change the given fields of a version and put it back to draft; its open validation run is cancelled.

    Raises INVALID_STATE (409) outside draft, validated and changes_requested, and what `add_version` raises.
    """
    with transaction.atomic():
        Package.objects.get_locked(version.package_id)
        changes: dict[str, Any] = {}
        tier, capabilities = fields.get("risk_tier", version.risk_tier), version.capabilities
        if "capabilities" in fields:
            runtime_app = require_runtime_app(version.package.app_id)
            capabilities = freeze_capabilities(runtime_app, fields["capabilities"], actor=attempt.actor)
        changes |= {"capabilities": capabilities, "risk_tier": tier, "content_hash": hash_of(capabilities, tier)}
        if "version" in fields:
            changes["version"] = _number_given(version, fields["version"])
        if "changelog" in fields:
            changes["changelog"] = fields["changelog"]
        if "publish_on_approval" in fields:
            changes["is_published_on_approval"] = fields["publish_on_approval"]
        edited = transition(version, Verb.EDIT, attempt, changes=changes)
        if edited.content_hash != version.content_hash:
            cancel_open_run(edited)
        close_review(edited)
    return edited


def drift_between(before: Version, after: Version) -> DriftReport:
    """Return what changed from one version to another."""
    return compare(before.capabilities, after.capabilities)


def require_runtime_app(app_id: str) -> RuntimeApp:
    """Return the app's runtime side. Raises VALIDATION_ERROR (400) where none is registered."""
    runtime_app = RuntimeApp.objects.filter(pk=app_id).first()
    if runtime_app is None:
        message = "This app has no runtime yet; register it first: POST /v1/providers/runtime/apps."
        raise field_error("app_id", message, code="runtime_missing")
    return runtime_app


def _number_for(version: Version, given: str | None, taken: list[str]) -> str:
    if given is not None:
        return _number_given(version, given)
    if not taken:
        return FIRST
    base = listed_base_of(version) or version.package.versions.order_by("created_at").last()
    bump = compare(base.capabilities, version.capabilities).bump if base else "minor"
    return next_number(taken, bump)


def _number_given(version: Version, given: str) -> str:
    number = parse_number(given)
    if number is None:
        raise field_error("version", "Write the number as MAJOR.MINOR.PATCH, such as 1.2.0.", code="format")
    others = Version.objects.filter(package=version.package_id).exclude(pk=version.pk)
    if others.filter(version=given).exists():
        raise Conflict(f"version: the package has a version {given} already.")
    listed = others.filter(state=VersionState.LISTED).first()
    listed_number = parse_number(listed.version) if listed else None
    if listed_number is not None and number <= listed_number:
        raise field_error("version", f"Must be higher than {listed_number}, which is listed.", code="too_low")
    return given
