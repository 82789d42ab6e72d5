"""Accounts, apps and users as ops see them; credentials are never shown."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest

from aiffinity.lib.staff_pages import ReadOnlyAdmin, StaffAdmin
from providers.identity import identity_backend
from providers.models import Account, App, User

if TYPE_CHECKING:
    from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
else:
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm
    from unfold.forms import UserCreationForm as AdminUserCreationForm

admin.site.unregister(Group)


class PasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]
    """A user's new password, or none any more; whoever was logged in is out."""

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002  # Django's own signature.
        """Write the password and end every login of before."""
        with transaction.atomic():
            user: User = super().save(commit=commit)
            identity_backend().end_logins(user)
        return user


@admin.register(User)
class UserAdmin(DjangoUserAdmin, StaffAdmin):  # type: ignore[type-arg]
    """Users and staff."""

    form = UserChangeForm
    add_form = AdminUserCreationForm
    change_password_form = PasswordForm

    ordering = ("-created_at",)
    list_display = ("email", "is_staff", "is_active", "created_at")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = ("email", "identity_uid")
    readonly_fields = ("identity_uid", "created_at", "last_login")
    fieldsets = (
        (None, {"fields": ("email", "password", "identity_uid")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "password1", "password2")}),)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, StaffAdmin):
    """Groups of staff and what each may do."""


@admin.register(Account)
class AccountAdmin(StaffAdmin):
    """Provider accounts: plan and rate limit may be changed."""

    list_display = ("company_name", "email", "plan_tier", "verification_status", "suspended_at", "created_at")
    list_filter = ("plan_tier",)
    search_fields = ("id", "company_name", "email")
    readonly_fields = ("id", "owner", "email", "email_verified_at", "created_at", "updated_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Accounts are made by sign-up alone."""
        return False


@admin.register(App)
class AppAdmin(ReadOnlyAdmin):
    """Apps, to look at."""

    list_display = ("name", "id", "client_id", "account", "deleted_at", "created_at")
    search_fields = ("id", "client_id", "name")
    list_select_related = ("account",)
