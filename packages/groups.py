"""The groups of staff and what each may do (spec 3 "Permissions by group").

They are made after every `migrate`, as Django makes its permissions, so that a fresh database has them. Rooms
upstairs call `ensure_groups` after their own migrations, whose permissions don't exist before.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import Group, Permission


def _all(action: str, app_label: str, *models: str) -> tuple[str, ...]:
    return tuple(f"{app_label}.{action}_{model}" for model in models)


_SEE = (
    *_all("view", "packages", "package", "version", "validationrun", "review", "reviewdecision", "reviewmessage"),
    *_all("view", "packages", "policyreason", "cannedtext", "attestation", "curationgrant"),
    *_all("view", "runtime", "runtimeapp", "capabilitytemplate", "healthcheck"),
    *_all("view", "providers", "account", "app"),
)
_OPERATE = (
    *_all("view", "runtime", "event", "delivery", "deliveryattempt", "recovery", "webhookendpoint", "namedsecret"),
    "runtime.operate_webhooks",
    "runtime.view_connection",
    "runtime.operate_connections",
    *_all("view", "lib", "auditentry", "outgoingmail"),
    *_all("view", "capabilities", "install", "invocation"),
    *_all("view", "providers", "user"),
)
_WRITE_TEXTS = (
    *_all("add", "packages", "policyreason", "cannedtext"),
    *_all("change", "packages", "policyreason", "cannedtext"),
)
_GRANT = ("packages.add_curationgrant", "packages.change_curationgrant", "packages.curate_package")
_REVIEW = (*_SEE, *_WRITE_TEXTS, "packages.review_version", "packages.suspend_package")

GROUP_PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "reviewer": _REVIEW,
    "security_reviewer": (*_REVIEW, "packages.security_review_version"),
    "architecture_reviewer": (*_REVIEW, "packages.architecture_review_version"),
    "curator": (*_SEE, *_WRITE_TEXTS, *_GRANT),
    "ops": (*_SEE, *_OPERATE, "packages.suspend_package"),
}


def ensure_groups(**kwargs: Any) -> None:
    """Make every group and give it its permissions; what staff added to a group stays."""
    permissions = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    for name, wanted in GROUP_PERMISSIONS.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*_known(wanted, permissions))


def _known(wanted: Iterable[str], permissions: Mapping[str, Permission]) -> list[Permission]:
    return [permissions[name] for name in wanted if name in permissions]
