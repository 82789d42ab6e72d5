"""Capability templates: the contracts of an app by name (spec 1 decision 5, spec 2 "Runtime")."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from aiffinity.lib.audit import append_audit
from aiffinity.lib.canonical import content_hash
from aiffinity.lib.errors import (
    Conflict,
    Detail,
    InvalidSchema,
    NotFound,
    PolicyViolation,
    QuotaExceeded,
    ValidationFailed,
    field_error,
)
from aiffinity.lib.texts import PAYLOAD_CODE
from runtime.descriptors import DescriptorFault, check_descriptor, normalise_descriptor
from runtime.models import CapabilityTemplate, RuntimeApp
from runtime.models.apps import MAX_TEMPLATES_PER_APP

# Rooms above say here what keeps a template from being deleted, such as "version 1.0.0 of acme-weather".
holders: list[Callable[[CapabilityTemplate], str | None]] = []


def require_descriptor(value: Any, *, path: str = "") -> dict[str, Any]:
    """Return the canonical form of a capability descriptor.

    Raises ValidationFailed, InvalidSchema where a schema is at fault (with its JSON Pointer in the message),
    or PolicyViolation where nothing is wrong but executable payload in a text; all list every fault below
    `path`.
    """
    faults = check_descriptor(value)
    if faults:
        raise _refusal(faults, path)
    return normalise_descriptor(value)


def create_template(runtime_app: RuntimeApp, descriptor: dict[str, Any], *, actor: str) -> CapabilityTemplate:
    """Make a template. Raises Conflict for a name in use and QuotaExceeded beyond 100."""
    with transaction.atomic():
        locked = RuntimeApp.objects.get_locked(runtime_app.pk)
        if _find(locked, descriptor["name"]) is not None:
            raise Conflict(f"name: this app has a capability '{descriptor['name']}' already; change it with PATCH.")
        return _add(locked, descriptor, actor=actor)


def upsert_template(
    runtime_app: RuntimeApp, descriptor: dict[str, Any], *, actor: str
) -> tuple[CapabilityTemplate, bool]:
    """Make the template of this name or replace its descriptor; says whether it is new.

    Versions keep the copies that they have made. Raises QuotaExceeded beyond 100.
    """
    with transaction.atomic():
        locked = RuntimeApp.objects.get_locked(runtime_app.pk)
        template = _find(locked, descriptor["name"])
        if template is None:
            return _add(locked, descriptor, actor=actor), True
        return _replace(template, descriptor, actor=actor), False


def change_template(runtime_app: RuntimeApp, name: str, changes: Any, *, actor: str) -> CapabilityTemplate:
    """Change the given fields but the name. Raises NotFound, and like `require_descriptor`."""
    if not isinstance(changes, dict):
        raise field_error("", "Expected an object.", code="type")
    if changes.get("name", name) != name:
        raise field_error("name", "A capability keeps its name; make another one instead.", code="read_only")
    with transaction.atomic():
        locked = RuntimeApp.objects.get_locked(runtime_app.pk)
        template = require_template(locked, name)
        descriptor = require_descriptor(_merged(template.descriptor, changes))
        return _replace(template, descriptor, actor=actor)


def delete_template(runtime_app: RuntimeApp, name: str, *, actor: str) -> CapabilityTemplate:
    """Delete a template and return what it was. Raises NotFound, and Conflict while something holds it."""
    with transaction.atomic():
        locked = RuntimeApp.objects.get_locked(runtime_app.pk)
        template = require_template(locked, name)
        held_by = next(filter(None, (holder(template) for holder in holders)), None)
        if held_by:
            raise Conflict(f"The capability '{name}' is held by {held_by}.")
        CapabilityTemplate.objects.filter(pk=template.pk).delete()
        append_audit(subject=locked.pk, action="template.deleted", actor=actor, data={"name": name})
    return template


def ensure_template(
    runtime_app: RuntimeApp, descriptor: dict[str, Any], *, actor: str = "system"
) -> CapabilityTemplate:
    """Return the template of a canonical descriptor's name, making it if there is none.

    One that exists stays as it is: a version has its own copy. Raises QuotaExceeded beyond 100.
    """
    with transaction.atomic():
        locked = RuntimeApp.objects.get_locked(runtime_app.pk)
        return _find(locked, descriptor["name"]) or _add(locked, descriptor, actor=actor)


def require_template(runtime_app: RuntimeApp, name: str) -> CapabilityTemplate:
    """Return an app's template by name. Raises NotFound."""
    template = _find(runtime_app, name)
    if template is None:
        raise NotFound
    return template


def _find(runtime_app: RuntimeApp, name: str) -> CapabilityTemplate | None:
    return CapabilityTemplate.objects.filter(runtime_app=runtime_app, name=name).first()


def _add(runtime_app: RuntimeApp, descriptor: dict[str, Any], *, actor: str) -> CapabilityTemplate:
    if CapabilityTemplate.objects.filter(runtime_app=runtime_app).count() >= MAX_TEMPLATES_PER_APP:
        raise QuotaExceeded(f"An app has at most {MAX_TEMPLATES_PER_APP} capabilities; delete one first.")
    template = CapabilityTemplate.objects.create(
        runtime_app=runtime_app, name=descriptor["name"], mode=descriptor["mode"], descriptor=descriptor
    )
    _audit(template, "template.created", actor)
    return template


def _replace(template: CapabilityTemplate, descriptor: dict[str, Any], *, actor: str) -> CapabilityTemplate:
    template.mode, template.descriptor = descriptor["mode"], descriptor
    template.save(update_fields=["mode", "descriptor", "updated_at"])
    _audit(template, "template.changed", actor)
    return template


def _audit(template: CapabilityTemplate, action: str, actor: str) -> None:
    append_audit(
        subject=template.runtime_app_id,
        action=action,
        actor=actor,
        content_hash=content_hash(template.descriptor),
        data={"name": template.name, "template_id": template.pk},
    )


def _merged(descriptor: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Lay changes in either casing over a canonical descriptor."""
    kept = {name: value for name, value in descriptor.items() if not {name, _camel_case(name)} & changes.keys()}
    return {**kept, **changes}


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _refusal(faults: list[DescriptorFault], path: str) -> ValidationFailed | PolicyViolation:
    details = [Detail(_below(path, fault.field), fault.code, fault.message) for fault in faults]
    if all(fault.code == PAYLOAD_CODE for fault in faults):
        return PolicyViolation(f"{details[0].field}: {details[0].message}", details=details)
    # A schema that is left out is a missing field like any other.
    is_in_schema = [
        fault.pointer is not None and (fault.field, fault.code) != ("schema", "required") for fault in faults
    ]
    return (InvalidSchema if all(is_in_schema) else ValidationFailed)(details=details)


def _below(path: str, field: str) -> str:
    return f"{path}.{field}" if path and field else path or field
