"""Django application `runtime`."""

from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    """Configuration of the app."""

    name = "runtime"

    def ready(self) -> None:
        """Have apps' ends and new addresses followed, the library's registries filled, and the webhook page made."""
        from aiffinity.lib import rewrapping
        from aiffinity.lib.doctor import register_examination
        from aiffinity.lib.generated_docs import generated_docs
        from aiffinity.lib.retention import register_retention
        from providers import applications
        from runtime import examinations
        from runtime.connections.authorization import purge_authorization_requests
        from runtime.deliveries import purging
        from runtime.deliveries.enabling import follow_address
        from runtime.erasure import erase_secrets
        from runtime.health.history import purge_health_checks
        from runtime.sealing import sealed_columns
        from runtime.webhook_docs import render_webhooks

        rewrapping.sealed_columns.extend(sealed_columns())
        register_retention("health checks", purge_health_checks)
        register_retention("authorization requests", purge_authorization_requests)
        register_retention("webhook deliveries", purging.purge_deliveries)
        register_retention("delivery attempts", purging.purge_attempts)
        register_retention("events", purging.purge_events)
        register_retention("webhook recoveries", purging.purge_recoveries)
        register_examination("health checks", examinations.examine_health_checks)
        register_examination("apps", examinations.examine_apps)
        register_examination("deliveries", examinations.examine_deliveries)
        register_examination("recoveries", examinations.examine_recoveries)
        register_examination("endpoints", examinations.examine_endpoints)
        register_examination("connections of users", examinations.examine_connections)
        applications.erasers.append(erase_secrets)
        applications.address_followers.append(follow_address)
        generated_docs["webhooks.md"] = render_webhooks
