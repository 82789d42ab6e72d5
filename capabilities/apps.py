"""Django application `capabilities`."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CapabilitiesConfig(AppConfig):
    """Configuration of the app."""

    name = "capabilities"

    def ready(self) -> None:
        """Let SIGTERM end a process in order, so that waiting records are written; fill the rooms' registries."""
        from aiffinity.lib.retention import register_retention
        from capabilities.cached_states import purge_states
        from capabilities.invocation_log import purge_invocations
        from capabilities.package_figures import usage_of
        from capabilities.recording import end_in_order_on_sigterm
        from packages.groups import ensure_groups
        from packages.panels import register_panel

        # Once more: the permissions on this room's models exist only now.
        post_migrate.connect(ensure_groups, sender=self, dispatch_uid="capabilities.groups")
        register_retention("invocations", purge_invocations)
        register_retention("cached states", purge_states)
        register_panel("usage", "Use", "admin/panels/usage.html", usage_of)
        end_in_order_on_sigterm()
