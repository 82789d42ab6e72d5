"""The one signing secret of an app (spec 1 decision 6).

Deliveries and execute calls are signed with it, and events that the provider sends in are verified against
it. It is made at registration; for 24 hours after a rotation the previous one is live too.
"""

import base64
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from aiffinity.lib.audit import append_audit
from aiffinity.lib.crypto import Secret
from runtime.models import RuntimeApp
from runtime.sealing import SIGNING_SECRET, seal, unseal

SECRET_BYTES = 32
OVERLAP = timedelta(hours=24)


def new_signing_secret() -> Secret:
    """Make a fresh one: `whsec_` and the base64 of 32 random bytes (spec 1 "Words")."""
    return Secret("whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode())


def signing_secret(runtime_app: RuntimeApp) -> Secret:
    """Return the secret that signs now."""
    return unseal(runtime_app, SIGNING_SECRET, runtime_app.sealed_signing_secret)


def live_signing_secrets(runtime_app: RuntimeApp) -> list[Secret]:
    """Return the current secret and, during the 24 hours after a rotation, the previous one."""
    live = [signing_secret(runtime_app)]
    expires_at = runtime_app.previous_signing_secret_expires_at
    if runtime_app.sealed_previous_signing_secret and expires_at and expires_at > timezone.now():
        live.append(unseal(runtime_app, SIGNING_SECRET, runtime_app.sealed_previous_signing_secret))
    return live


def set_signing_secret(runtime_app: RuntimeApp, *, actor: str, value: str | None = None) -> Secret:
    """Set the signing secret, or make a new one without a value, and return it.

    The one of before stays live for 24 hours. The value that is current already changes nothing.
    """
    with transaction.atomic():
        locked = RuntimeApp.objects.get_locked(runtime_app.pk)
        new = new_signing_secret() if value is None else Secret(value)
        if new != signing_secret(locked):
            locked.sealed_previous_signing_secret = locked.sealed_signing_secret
            locked.previous_signing_secret_expires_at = timezone.now() + OVERLAP
            locked.sealed_signing_secret = seal(locked, SIGNING_SECRET, new)
            locked.save(update_fields=[*_FIELDS, "updated_at"])
            append_audit(subject=locked.pk, action="signing_secret.rotated", actor=actor)
    for field in _FIELDS:
        setattr(runtime_app, field, getattr(locked, field))
    return new


_FIELDS = (
    "sealed_signing_secret",
    "sealed_previous_signing_secret",
    "previous_signing_secret_expires_at",
)
