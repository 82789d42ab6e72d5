"""Django application `providers`."""

from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    """Configuration of the app."""

    name = "providers"

    def ready(self) -> None:
        """Refuse an unknown identity backend, describe the scopes for OpenAPI, and fill the library's registries."""
        from aiffinity.lib.doctor import register_examination
        from aiffinity.lib.openapi_components import oauth_scopes, scope_rules
        from aiffinity.lib.retention import register_retention
        from aiffinity.lib.rewrapping import SealedColumn, sealed_columns
        from providers import examinations, expiry
        from providers.identity import identity_backend
        from providers.models import SigningKey
        from providers.scopes import SCOPES, required_scope
        from providers.signing_keys import sealing_context

        identity_backend()
        oauth_scopes.update(SCOPES)
        scope_rules.append(required_scope)
        register_examination("signing keys", examinations.examine_signing_keys)
        register_retention("mail tokens", expiry.purge_mail_tokens)
        register_retention("refresh tokens", expiry.purge_refresh_tokens)
        register_retention("revoked tokens", expiry.purge_revoked_tokens)
        register_retention("client secrets", expiry.purge_client_secrets)
        register_retention("signing keys", expiry.purge_signing_keys)
        sealed_columns.append(SealedColumn(SigningKey, "sealed_private_key", lambda key: sealing_context(key.kid)))
