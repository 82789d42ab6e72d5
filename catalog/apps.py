"""Django application `catalog`."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Configuration of the app."""

    name = "catalog"
