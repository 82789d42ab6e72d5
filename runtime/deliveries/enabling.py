"""How a disabled endpoint gets deliveries again, and what becomes of those that it missed.

The provider puts its webhook profile, or changes the app's `webhook_url`; ops press a button. The endpoint starts
over with a clean record. Retries that were planned for later go on; what was stopped while it was disabled stays
failed until somebody recovers or replays it; events of that time were not written for it.
"""

from typing import Any

from django.db import transaction

from aiffinity.lib.audit import append_audit
from aiffinity.lib.errors import InvalidState
from aiffinity.lib.wakeups import wake_on_commit
from providers.models import App
from runtime.models import RuntimeApp, WebhookEndpoint


def clean_record() -> dict[str, Any]:
    """Return the columns of an endpoint against which nothing is held."""
    return {
        "disabled_at": None,
        "disabled_reason": "",
        "failing_since": None,
        "warned_percent": 0,
        "recent_outcomes": [],
        "breaker_open_until": None,
    }


def enable_endpoint(endpoint: WebhookEndpoint, *, actor: str, reason: str) -> WebhookEndpoint:
    """Enable a disabled endpoint and return it. Raises InvalidState where it is not disabled."""
    with transaction.atomic():
        locked = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        if locked.disabled_at is None:
            raise InvalidState("This webhook endpoint is not disabled.")
        start_over(locked)
        append_audit(subject=locked.pk, action="webhook.enabled", actor=actor, reason=reason)
    return locked


def follow_address(app: App) -> None:
    """Take over an app's new `webhook_url`, inside the caller's transaction.

    The first one means a webhook profile for every event; a later one starts with a clean record. An app without a
    runtime app has neither yet.
    """
    if not app.webhook_url or not RuntimeApp.objects.filter(pk=app.pk).exists():
        return
    endpoint, is_new = WebhookEndpoint.objects.get_or_create(pk=app.pk, defaults={"events": ["*"]})
    if not is_new:
        start_over(endpoint)


def start_over(endpoint: WebhookEndpoint) -> None:
    """Give an endpoint a clean record and send what is due, inside the caller's transaction."""
    record = clean_record()
    for name, value in record.items():
        setattr(endpoint, name, value)
    endpoint.save(update_fields=[*record, "updated_at"])
    wake_on_commit("runtime.tasks.deliver_due_webhooks")
