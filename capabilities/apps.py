"""Django application `capabilities`."""

from django.apps import AppConfig


class CapabilitiesConfig(AppConfig):
    """Configuration of the app."""

    name = "capabilities"
