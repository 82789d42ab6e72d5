"""Django application `runtime`."""

from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    """Configuration of the app."""

    name = "runtime"

    def ready(self) -> None:
        """Have the secrets of a deleted app erased."""
        from providers import applications
        from runtime.erasure import erase_secrets

        applications.erasers.append(erase_secrets)
