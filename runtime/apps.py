"""Django application `runtime`."""

from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    """Configuration of the app."""

    name = "runtime"
