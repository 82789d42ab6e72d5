"""Accounts, apps and users as ops see them; credentials are never shown."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest

from providers.models import Account, App, User


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    """Users and staff."""

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


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin[Account]):
    """Provider accounts: plan and rate limit may be changed."""

    list_display = ("company_name", "email", "plan_tier", "verification_status", "suspended_at", "created_at")
    list_filter = ("plan_tier",)
    search_fields = ("id", "company_name", "email")
    readonly_fields = ("id", "owner", "email", "email_verified_at", "created_at", "updated_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Accounts are made by sign-up alone."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        """Accounts are never deleted here."""
        return False


@admin.register(App)
class AppAdmin(admin.ModelAdmin[App]):
    """Apps, to look at."""

    list_display = ("name", "id", "client_id", "account", "deleted_at", "created_at")
    search_fields = ("id", "client_id", "name")
    list_select_related = ("account",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Apps are made by their providers."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: App | None = None) -> bool:
        """Apps are changed by their providers."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: App | None = None) -> bool:
        """Apps are deleted by their providers."""
        return False
