"""Django application `providers`."""

from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    """Configuration of the app."""

    name = "providers"

    def ready(self) -> None:
        """Refuse an unknown identity backend, describe the scopes for OpenAPI, and name the sealed column."""
        from aiffinity.lib.openapi_components import oauth_scopes, scope_rules
        from aiffinity.lib.rewrapping import SealedColumn, sealed_columns
        from providers.identity import identity_backend
        from providers.models import SigningKey
        from providers.scopes import SCOPES, required_scope
        from providers.signing_keys import sealing_context

        identity_backend()
        oauth_scopes.update(SCOPES)
        scope_rules.append(required_scope)
        sealed_columns.append(SealedColumn(SigningKey, "sealed_private_key", lambda key: sealing_context(key.kid)))
