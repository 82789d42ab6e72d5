"""Who learns that an endpoint fails or was disabled: the audit log, the app and its people (spec 4)."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings

from aiffinity.lib.audit import append_audit
from aiffinity.lib.mails import queue_mail
from runtime.event_types import is_subscribed
from runtime.events import post_event_to
from runtime.models import WebhookEndpoint

EVENT = "webhook.disabled"
PREFERENCE = "webhook_failures"


def tell_failing(endpoint_ids: Sequence[str], *, patience: timedelta) -> None:
    """Mail the people of endpoints that will be disabled, inside the caller's transaction."""
    for endpoint in _complete(endpoint_ids):
        if endpoint.failing_since is not None:
            times = {"failing_since": endpoint.failing_since, "disabled_at": endpoint.failing_since + patience}
            _mail(endpoint, "webhook_failing", **times)


def tell_disabled(endpoint_ids: Sequence[str]) -> None:
    """Write an audit row, an event and a mail for each endpoint, inside the caller's transaction.

    The event is for the endpoint itself, so its delivery is stopped like all others to it and sends nothing; it
    comes with the rest once the provider recovers.
    """
    for endpoint in _complete(endpoint_ids):
        append_audit(subject=endpoint.pk, action=EVENT, actor="system", reason=endpoint.disabled_reason)
        if is_subscribed(endpoint.events, EVENT):
            post_event_to(endpoint, EVENT, {"reason": endpoint.disabled_reason, "disabled_at": endpoint.disabled_at})
        _mail(endpoint, "webhook_disabled", is_gone=endpoint.disabled_reason == "gone")


def _complete(endpoint_ids: Sequence[str]) -> Iterator[WebhookEndpoint]:
    """Return endpoints with their accounts; no query where there is none."""
    if endpoint_ids:
        endpoints = WebhookEndpoint.objects.filter(pk__in=endpoint_ids).select_related("runtime_app__app__account")
        yield from endpoints.order_by("pk")


def _mail(endpoint: WebhookEndpoint, template: str, **context: Any) -> None:
    app = endpoint.runtime_app.app
    is_wanted = app.account.notification_preferences.get(PREFERENCE, True)
    if is_wanted and app.account.email_verified_at is not None:
        url = f"{settings.BASE_URL}/v1/providers/runtime/apps/{app.pk}"
        context = {
            "company_name": app.account.company_name,
            "app": app,
            "app_url": url,
            "endpoint": endpoint,
            **context,
        }
        queue_mail(to=app.account.email, template=template, context=context)
