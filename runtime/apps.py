"""Django application `runtime`."""

from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    """Configuration of the app."""

    name = "runtime"

    def ready(self) -> None:
        """Have a deleted app's secrets erased, sealed columns rewrapped, and the webhook page made."""
        from aiffinity.lib import rewrapping
        from aiffinity.lib.generated_docs import generated_docs
        from providers import applications
        from runtime.erasure import erase_secrets
        from runtime.sealing import sealed_columns
        from runtime.webhook_docs import render_webhooks

        rewrapping.sealed_columns.extend(sealed_columns())
        applications.erasers.append(erase_secrets)
        generated_docs["webhooks.md"] = render_webhooks
