"""The groups of staff and what each may do (spec 3 "Permissions by group").

They are made after every `migrate`, as Django makes its permissions, so that a fresh database has them.
"""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Group, Permission

_SEE = (
    "view_package",
    "view_version",
    "view_validationrun",
    "view_review",
    "view_reviewdecision",
)
GROUP_PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "reviewer": (*_SEE, "review_version", "suspend_package"),
    "security_reviewer": (*_SEE, "review_version", "security_review_version", "suspend_package"),
    "architecture_reviewer": (*_SEE, "review_version", "architecture_review_version", "suspend_package"),
    "curator": (*_SEE, "curate_package"),
    "ops": (*_SEE, "suspend_package"),
}


def ensure_groups(**kwargs: Any) -> None:
    """Make every group and give it its permissions; what staff added to a group stays."""
    permissions = {
        permission.codename: permission for permission in Permission.objects.filter(content_type__app_label="packages")
    }
    for name, codenames in GROUP_PERMISSIONS.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*(permissions[codename] for codename in codenames if codename in permissions))
