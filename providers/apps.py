"""Django application `providers`."""

from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    """Configuration of the app."""

    name = "providers"

    def ready(self) -> None:
        """Describe the scopes of access tokens in the OpenAPI document."""
        from aiffinity.lib.openapi_components import oauth_scopes
        from providers.scopes import SCOPES

        oauth_scopes.update(SCOPES)
