"""What is forgotten of an app that its provider deletes (spec 2, `DELETE /v1/providers/apps/{id}`)."""

from providers.models import App
from runtime.auth_profiles import keep_client_secret_alone
from runtime.connections.revoking import begin_revocation
from runtime.models import Connection, NamedSecret, RuntimeApp
from runtime.sealing import SIGNING_SECRET, seal
from runtime.signing_secrets import new_signing_secret


def erase_secrets(app: App) -> None:
    """Erase named secrets, the auth profile's write-only fields and the signing secrets, in the caller's transaction.

    Its users' connections are revoked. The platform's own client secret at the provider is needed for that; it
    goes with the last of them. A signing secret that nobody knows takes the place of the old one, so that nothing
    needs to do without. Nobody asks for the app's health any more either.
    """
    runtime_app = (
        RuntimeApp.objects.select_for_update(of=("self",), no_key=True).select_related("app").filter(pk=app.pk).first()
    )
    if runtime_app is None:
        return
    NamedSecret.objects.filter(runtime_app=runtime_app).delete()
    begin_revocation(Connection.objects.of_app(app))
    is_revoking = Connection.objects.of_app(app).exists()
    runtime_app.sealed_auth_secrets = keep_client_secret_alone(runtime_app) if is_revoking else ""
    runtime_app.sealed_signing_secret = seal(runtime_app, SIGNING_SECRET, new_signing_secret())
    runtime_app.sealed_previous_signing_secret = ""
    runtime_app.previous_signing_secret_expires_at = None
    runtime_app.next_health_check_at = None
    runtime_app.save()


def keep_client_secret(runtime_app: RuntimeApp) -> None:
    """Keep the client secret of an app that was deleted while a grant was on its way, in the caller's transaction.

    `runtime_app` was read before the deletion. The grant's revocation needs the secret, and erases it.
    """
    sealed = keep_client_secret_alone(runtime_app)
    RuntimeApp.objects.filter(pk=runtime_app.pk).update(sealed_auth_secrets=sealed)
