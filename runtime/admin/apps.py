"""Plain admin pages of runtime apps: for looking, never for changing; what is sealed is not shown."""

from django.contrib import admin

from aiffinity.lib.staff_pages import ReadOnlyAdmin
from runtime.models import CapabilityTemplate, HealthCheck, NamedSecret, RuntimeApp


@admin.register(RuntimeApp)
class RuntimeAppAdmin(ReadOnlyAdmin):
    """Runtime apps with their health."""

    list_display = ("app", "status", "health_status", "consecutive_failures", "health_checked_at", "created_at")
    list_filter = ("status", "health_status")
    list_select_related = ("app",)
    search_fields = ("app__id", "app__name", "app__account__company_name")
    exclude = ("sealed_auth_secrets", "sealed_signing_secret", "sealed_previous_signing_secret")


@admin.register(CapabilityTemplate)
class CapabilityTemplateAdmin(ReadOnlyAdmin):
    """Capability templates."""

    list_display = ("name", "mode", "runtime_app", "updated_at")
    list_filter = ("mode",)
    list_select_related = ("runtime_app",)
    search_fields = ("id", "name", "runtime_app__app__id")


@admin.register(NamedSecret)
class NamedSecretAdmin(ReadOnlyAdmin):
    """Keys of named secrets, without their values."""

    list_display = ("key", "runtime_app", "version", "updated_at")
    list_select_related = ("runtime_app",)
    search_fields = ("runtime_app__app__id",)
    exclude = ("sealed_value",)


@admin.register(HealthCheck)
class HealthCheckAdmin(ReadOnlyAdmin):
    """Health checks of the last 24 hours."""

    list_display = ("runtime_app", "checked_at", "is_healthy", "status_code", "latency_ms", "error")
    list_filter = ("is_healthy",)
    list_select_related = ("runtime_app",)
