"""Django application `providers`."""

from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    """Configuration of the app."""

    name = "providers"
