"""Registering and changing runtime apps (spec 1 decision 9, spec 2 "Runtime")."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from aiffinity.lib.audit import append_audit
from aiffinity.lib.crypto import Secret
from aiffinity.lib.errors import Conflict, EmailNotVerified, InvalidState
from aiffinity.lib.views import get_owned
from providers import applications
from providers.models import Account, App
from runtime.auth_profiles import config_hash
from runtime.deliveries.enabling import follow_address
from runtime.health.recording import forget_health
from runtime.models import RuntimeApp, RuntimeStatus, WebhookEndpoint
from runtime.sealing import SIGNING_SECRET, seal
from runtime.signing_secrets import new_signing_secret

# What app and runtime app both show is stored once, on the app.
APP_FIELDS = ("name", "description", "homepage_url", "logo_url", "redirect_uris", "webhook_url")
RUNTIME_FIELDS = ("runtime_url", "health_check_url")


@dataclass(frozen=True)
class Registration:
    """A fresh runtime app with the credentials that are shown once; no client secret for an existing app."""

    runtime_app: RuntimeApp
    signing_secret: Secret
    client_secret: Secret | None


def register_runtime_app(account: Account, *, actor: str, fields: dict[str, Any]) -> Registration:
    """Make a runtime app from the fields of the API, for the app in `app_id` or for a new one.

    A `webhook_url` makes a webhook profile for every event. Raises NotFound for another account's app,
    Conflict for an app that has one already, EmailNotVerified and QuotaExceeded where a new app may not be
    made. Source: runtime configuration, "Registering a Runtime App".
    """
    app_fields = {name: fields[name] for name in APP_FIELDS if name in fields}
    with transaction.atomic():
        client_secret = None
        if "app_id" in fields:
            app = _claim_app(account, fields["app_id"], app_fields, actor=actor)
        else:
            app, client_secret = _make_app(account, app_fields, actor=actor)
        runtime_app = RuntimeApp(app=app, **{name: fields[name] for name in RUNTIME_FIELDS if name in fields})
        secret = new_signing_secret()
        runtime_app.sealed_signing_secret = seal(runtime_app, SIGNING_SECRET, secret)
        runtime_app.config_hash = config_hash(runtime_app)
        runtime_app.save(force_insert=True)
        follow_address(app)
        append_audit(subject=app.pk, action="runtime.registered", actor=actor, to_state=runtime_app.status)
    return Registration(runtime_app, secret, client_secret)


def update_runtime_app(runtime_app: RuntimeApp, *, actor: str, fields: dict[str, Any]) -> RuntimeApp:
    """Change the given fields, among them `status` (active or paused), and return the app.

    Raises InvalidState when a status is given for an app that the platform suspended.
    """
    with transaction.atomic():
        # The app before its runtime, as where it is deleted; the endpoint before the log, as where it is disabled.
        App.objects.select_for_update(no_key=True).filter(pk=runtime_app.pk).exists()
        locked = RuntimeApp.objects.get_locked(runtime_app.pk)
        WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=locked.pk).exists()
        before = locked.status
        if "status" in fields:
            _set_status(locked, fields["status"])
        if fields.get("health_check_url", locked.health_check_url) != locked.health_check_url:
            _look_elsewhere(locked, fields["health_check_url"])
        for name in RUNTIME_FIELDS:
            setattr(locked, name, fields.get(name, getattr(locked, name)))
        locked.config_hash = config_hash(locked)
        locked.save()
        app_fields = {name: fields[name] for name in APP_FIELDS if name in fields}
        if app_fields:
            locked.app = applications.update_app(locked.app, actor=actor, **app_fields)
        append_audit(
            subject=locked.pk,
            action="runtime.updated",
            actor=actor,
            from_state=before,
            to_state=locked.status,
            content_hash=locked.config_hash,
            data={"fields": sorted(fields)},
        )
    return locked


def rotate_client_secret(app: App, *, actor: str, grace_period_seconds: int) -> tuple[Secret, datetime | None]:
    """Make a new client secret; also says when the previous one ends, None where there was none."""
    with transaction.atomic():
        secret = applications.rotate_client_secret(app, actor=actor, grace_period_seconds=grace_period_seconds)
        previous = app.client_secrets.exclude(expires_at=None).order_by("-expires_at").first()
    return secret, previous.expires_at if previous else None


def _claim_app(account: Account, app_id: str, app_fields: dict[str, Any], *, actor: str) -> App:
    app = get_owned(App.objects.for_account(account).select_for_update(no_key=True), app_id)
    if RuntimeApp.objects.filter(pk=app.pk).exists():
        raise Conflict("app_id: this app has a runtime app already; change it with PATCH.")
    return applications.update_app(app, actor=actor, **app_fields) if app_fields else app


def _make_app(account: Account, app_fields: dict[str, Any], *, actor: str) -> tuple[App, Secret]:
    if account.email_verified_at is None:
        raise EmailNotVerified
    return applications.create_app(account, actor=actor, **app_fields)


def _set_status(runtime_app: RuntimeApp, status: str) -> None:
    if runtime_app.status == RuntimeStatus.SUSPENDED:
        raise InvalidState("status: the platform suspended this app; contact provider support.")
    if status != runtime_app.status:
        # Its turn of before the pause is long past, which is nobody's delay.
        runtime_app.next_health_check_at = timezone.now()
    runtime_app.status = status


def _look_elsewhere(runtime_app: RuntimeApp, url: str) -> None:
    """Take a new health URL: what was seen at the old one is not asked of it, and nothing is known without one."""
    runtime_app.health_checked_at = None
    runtime_app.next_health_check_at = timezone.now()
    if not url:
        forget_health(runtime_app)
