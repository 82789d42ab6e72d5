"""Where and how an app wants its events (runtime configuration, "Webhook Profile Setup")."""

from typing import Any

from django.db import transaction

from aiffinity.lib.audit import append_audit
from aiffinity.lib.errors import NotFound
from aiffinity.lib.wakeups import wake_on_commit
from providers.applications import update_app
from providers.models import App
from runtime.deliveries.enabling import clean_record
from runtime.models import RuntimeApp, WebhookEndpoint
from runtime.signing_secrets import set_signing_secret

BACKOFF = "exponential"
ALGORITHM = "hmac-sha256"


def put_webhook_profile(
    runtime_app: RuntimeApp,
    *,
    actor: str,
    url: str,
    fields: dict[str, Any],
    secret: str | None = None,
) -> tuple[WebhookEndpoint, bool]:
    """Replace the webhook profile and enable it again; says whether it is new.

    `fields` are all settable columns. The URL is the app's own `webhook_url`. A secret becomes
    the app's signing secret, without one that stays as it is (spec 1 decision 6).
    """
    with transaction.atomic():
        # The app before its runtime, as where it is deleted; the endpoint before the log, as where it is disabled.
        App.objects.select_for_update(no_key=True).filter(pk=runtime_app.pk).exists()
        locked = RuntimeApp.objects.get_locked(runtime_app.pk)
        is_new = not WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=locked.pk).exists()
        if locked.app.webhook_url != url:
            locked.app = update_app(locked.app, actor=actor, webhook_url=url)
        if secret is not None:
            set_signing_secret(locked, actor=actor, value=secret)
        # The app's row is locked, so that nobody else makes one; the new address may have.
        endpoint = WebhookEndpoint.objects.filter(pk=locked.pk).first() or WebhookEndpoint(runtime_app=locked)
        # Somebody who mends the profile has mended the endpoint: it starts over with a clean record.
        for name, value in {**fields, **clean_record()}.items():
            setattr(endpoint, name, value)
        endpoint.runtime_app = locked
        endpoint.save()
        wake_on_commit("runtime.tasks.deliver_due_webhooks")
        append_audit(subject=locked.pk, action="webhook_profile.set", actor=actor, data={"events": endpoint.events})
    return endpoint, is_new


def require_webhook_profile(runtime_app: RuntimeApp) -> WebhookEndpoint:
    """Return the app's webhook profile. Raises NotFound where there is none."""
    endpoint = WebhookEndpoint.objects.select_related("runtime_app__app").filter(runtime_app=runtime_app).first()
    if endpoint is None:
        raise NotFound("This app has no webhook profile yet.")
    return endpoint
