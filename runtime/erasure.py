"""What is forgotten of an app that its provider deletes (spec 2, `DELETE /v1/providers/apps/{id}`)."""

from providers.models import App
from runtime.models import NamedSecret, RuntimeApp
from runtime.sealing import SIGNING_SECRET, seal
from runtime.signing_secrets import new_signing_secret


def erase_secrets(app: App) -> None:
    """Erase named secrets, the auth profile's write-only fields and the signing secrets, in the caller's transaction.

    A signing secret that nobody knows takes the place of the old one, so that nothing needs to do without.
    """
    runtime_app = (
        RuntimeApp.objects.select_for_update(of=("self",), no_key=True).select_related("app").filter(pk=app.pk).first()
    )
    if runtime_app is None:
        return
    NamedSecret.objects.filter(runtime_app=runtime_app).delete()
    runtime_app.sealed_auth_secrets = ""
    runtime_app.sealed_signing_secret = seal(runtime_app, SIGNING_SECRET, new_signing_secret())
    runtime_app.sealed_previous_signing_secret = ""
    runtime_app.previous_signing_secret_expires_at = None
    runtime_app.save()
