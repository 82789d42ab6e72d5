"""The base of every page of the staff console: Unfold's look, and a kind that nobody can write on."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    UnfoldAdmin = ModelAdmin[Any]
else:
    from unfold.admin import ModelAdmin as UnfoldAdmin


class StaffAdmin(UnfoldAdmin):
    """A page of the staff console; nothing is deleted by hand, and lists count no more than a page needs."""

    actions = None
    show_full_result_count = False
    list_per_page = 50

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes rows by hand."""
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Show JSON plainly to who may only look: Unfold's colours are inline styles, which the policy refuses."""
        names = list(super().get_fields(request, obj))
        if self.has_change_permission(request, obj):
            return names
        return [as_plain_json(self.model, name) or name for name in names]


class ReadOnlyAdmin(StaffAdmin):
    """Shows rows; verbs change them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds rows by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes rows by hand."""
        return False


def as_plain_json(model: type[models.Model], name: Any) -> Callable[[Any], str] | None:
    """Return what shows a JSON field of a model as text, None for any other field."""
    try:
        field = model._meta.get_field(name) if isinstance(name, str) else None
    except FieldDoesNotExist:
        return None
    if not isinstance(field, models.JSONField):
        return None

    @admin.display(description=str(field.verbose_name))
    def show(row: Any) -> str:
        return format_html("<pre>{}</pre>", json.dumps(getattr(row, name), indent=2, ensure_ascii=False))

    return show
