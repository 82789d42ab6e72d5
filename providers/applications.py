"""Apps: OAuth clients of an account, their secrets and their quota (spec 2 "Accounts, apps, tokens")."""

import re
import secrets
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from aiffinity.lib.audit import append_audit
from aiffinity.lib.crypto import Secret, equal, hash_token, new_token
from aiffinity.lib.errors import QuotaExceeded
from aiffinity.lib.views import get_owned
from providers.models import MAX_APPS_PER_ACCOUNT, Account, App, ClientSecret

DEFAULT_GRACE_PERIOD_SECONDS = 86_400
EDITABLE_FIELDS = ("name", "description", "redirect_uris", "webhook_url", "homepage_url", "logo_url")


# Rooms above erase here, inside the deletion's transaction, what they keep secret of a deleted app.
erasers: list[Callable[[App], None]] = []
# And follow here, inside the change's transaction, an app that gets another webhook URL.
address_followers: list[Callable[[App], None]] = []


def create_app(account: Account, *, actor: str, **fields: Any) -> tuple[App, Secret]:
    """Make an app with its first client secret; raises QuotaExceeded (409) beyond ten.

    The account's row is locked, so that parallel calls can't both take the last slot.
    """
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        if App.objects.for_account(account).count() >= MAX_APPS_PER_ACCOUNT:
            raise QuotaExceeded(f"An account has at most {MAX_APPS_PER_ACCOUNT} apps; delete one that you don't need.")
        app = App.objects.create(account=account, client_id=_new_client_id(fields["name"]), **fields)
        secret = _add_secret(app)
        append_audit(subject=app.pk, action="app.created", actor=actor)
    return app, secret


def update_app(app: App, *, actor: str, **fields: Any) -> App:
    """Change only the given fields."""
    changed, address = [name for name in EDITABLE_FIELDS if name in fields], app.webhook_url
    for name in changed:
        setattr(app, name, fields[name])
    with transaction.atomic():
        app.save(update_fields=[*changed, "updated_at"])
        for follow in address_followers if app.webhook_url != address else ():
            follow(app)
        append_audit(subject=app.pk, action="app.updated", actor=actor, data={"fields": changed})
    return app


def rotate_client_secret(app: App, *, actor: str, grace_period_seconds: int = DEFAULT_GRACE_PERIOD_SECONDS) -> Secret:
    """Make a new client secret; the newest old one lives on for the grace period, all older ones end.

    So at most two secrets are live at any time. Raises NotFound for an app that was deleted a moment ago.
    """
    with transaction.atomic():
        get_owned(App.objects.live().select_for_update(no_key=True), app.pk)
        now = timezone.now()
        newest = app.client_secrets.order_by("-created_at", "-pk").first()
        if newest is not None:
            app.client_secrets.exclude(pk=newest.pk).delete()
            ends_at = now + timedelta(seconds=grace_period_seconds)
            newest.expires_at = min(newest.expires_at or ends_at, ends_at)
            newest.save(update_fields=["expires_at"])
        secret = _add_secret(app)
        append_audit(subject=app.pk, action="app.client_secret_rotated", actor=actor)
    return secret


def delete_app(app: App, *, actor: str) -> App:
    """Delete softly: the slot is free, tokens die at once, the client secrets are erased."""
    with transaction.atomic():
        is_first = App.objects.live().filter(pk=app.pk).update(deleted_at=timezone.now()) == 1
        app.client_secrets.all().delete()
        if is_first:
            for erase in erasers:
                erase(app)
            append_audit(subject=app.pk, action="app.deleted", actor=actor)
    app.refresh_from_db()
    return app


def is_client_secret(app: App, candidate: str) -> bool:
    """Say whether a text is one of the app's live secrets; every comparison takes the same time."""
    hashed, now = hash_token(candidate), timezone.now()
    matches = [equal(row.secret_hash, hashed) and row.is_live(now) for row in ClientSecret.objects.filter(app=app)]
    return any(matches)


def _add_secret(app: App) -> Secret:
    prefix = "cs_test_" if settings.ENVIRONMENT == "sandbox" else "cs_live_"
    secret = new_token(prefix)
    ClientSecret.objects.create(app=app, secret_hash=hash_token(secret.reveal()))
    return secret


def _new_client_id(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]", "", plain)[:40] or "app"
    return f"ci_{slug}_{secrets.token_hex(4)}"
