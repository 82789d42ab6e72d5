"""Django application `capabilities`."""

from django.apps import AppConfig


class CapabilitiesConfig(AppConfig):
    """Configuration of the app."""

    name = "capabilities"

    def ready(self) -> None:
        """Let SIGTERM end a process in order, so that waiting records are written."""
        from capabilities.recording import end_in_order_on_sigterm

        end_in_order_on_sigterm()
