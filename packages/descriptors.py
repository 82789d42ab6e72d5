"""A version's `capabilities[]`: descriptors or names of the app's templates, copied for good (spec 3)."""

from collections.abc import Sequence
from typing import Any

from aiffinity.lib.canonical import content_hash
from aiffinity.lib.errors import Detail, InvalidSchema, PlatformError, PolicyViolation, ValidationFailed
from packages.models import Version, VersionState
from runtime.models import CapabilityTemplate, RuntimeApp
from runtime.templates import ensure_template, require_descriptor

MAX_CAPABILITIES = 50

# What a version adds to a descriptor; it is dropped from an item that was read from a version and sent again.
CAPABILITY_ID = "capability_id"


def freeze_capabilities(runtime_app: RuntimeApp, items: Sequence[Any], *, actor: str) -> list[dict[str, Any]]:
    """Return the canonical descriptors of a version, each with its `capability_id`, inside a transaction.

    An item is a descriptor, whose template is made where the app has none of that name, or the name of a
    template, whose descriptor is copied. Raises VALIDATION_ERROR, INVALID_SCHEMA (400) or POLICY_VIOLATION (422)
    with every fault under paths such as `capabilities[0].schema`, and QUOTA_EXCEEDED (409) beyond 100 templates.
    """
    # Under the lock that deleting a template takes, so that none of those read here vanishes meanwhile.
    locked = RuntimeApp.objects.get_locked(runtime_app.pk)
    templates = {template.name: template for template in CapabilityTemplate.objects.filter(runtime_app=locked)}
    errors: list[PlatformError] = []
    found: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        try:
            found.append(_descriptor_of(item, templates, f"capabilities[{index}]"))
        except (ValidationFailed, PolicyViolation) as error:
            errors.append(error)
    if errors:
        raise _together(errors)
    _refuse_duplicates(found)
    return [
        {
            **descriptor,
            CAPABILITY_ID: (templates.get(descriptor["name"]) or ensure_template(locked, descriptor, actor=actor)).pk,
        }
        for descriptor in found
    ]


def hash_of(capabilities: Sequence[dict[str, Any]], risk_tier: str) -> str:
    """Return the content hash of a version: its descriptors, in their order, and its risk tier."""
    return content_hash({"capabilities": list(capabilities), "risk_tier": risk_tier})


def holder_of(template: CapabilityTemplate) -> str | None:
    """Name a version that holds a template and is not rejected, None where there is none (spec 2 "Runtime")."""
    holding = Version.objects.filter(capabilities__contains=[{CAPABILITY_ID: template.pk}])
    version = (
        holding.exclude(state=VersionState.REJECTED)
        .filter(package__app=template.runtime_app_id)
        .select_related("package")
        .first()
    )
    return f"version {version.version} of package {version.package.slug}" if version else None


def _descriptor_of(item: Any, templates: dict[str, CapabilityTemplate], path: str) -> dict[str, Any]:
    if isinstance(item, str):
        if item not in templates:
            known = ", ".join(sorted(templates)) or "none yet"
            message = f"The app has no capability template of this name. It has: {known}."
            raise ValidationFailed(details=[Detail(path, "unknown_capability", message)])
        descriptor: dict[str, Any] = templates[item].descriptor
        return descriptor
    if isinstance(item, dict):
        item = {key: value for key, value in item.items() if key not in {CAPABILITY_ID, "capabilityId"}}
    return require_descriptor(item, path=path)


def _together(errors: list[PlatformError]) -> PlatformError:
    details = [detail for error in errors for detail in error.details]
    kinds = {type(error) for error in errors}
    if kinds == {PolicyViolation}:
        return PolicyViolation(errors[0].message, details=details)
    return (InvalidSchema if InvalidSchema in kinds else ValidationFailed)(details=details)


def _refuse_duplicates(descriptors: list[dict[str, Any]]) -> None:
    seen: set[str] = set()
    details = []
    for index, descriptor in enumerate(descriptors):
        if descriptor["name"] in seen:
            message = f"The capability {descriptor['name']} stands twice in this version."
            details.append(Detail(f"capabilities[{index}].name", "duplicate", message))
        seen.add(descriptor["name"])
    if details:
        raise ValidationFailed(details=details)
