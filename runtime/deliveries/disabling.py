"""Who learns that an endpoint was disabled: the audit log, the app and its people (spec 4 "Events and webhooks")."""

from collections.abc import Sequence

from aiffinity.lib.audit import append_audit
from aiffinity.lib.mails import queue_mail
from runtime.event_types import is_subscribed
from runtime.models import WebhookEndpoint

EVENT = "webhook.disabled"
PREFERENCE = "webhook_failures"


def tell_disabled(endpoint_ids: Sequence[str]) -> None:
    """Write an audit row, an event and a mail for each endpoint, inside the caller's transaction.

    The event's delivery fails like all others to a disabled endpoint, and can be replayed once it is mended.
    """
    endpoints = WebhookEndpoint.objects.filter(pk__in=endpoint_ids).select_related("runtime_app__app__account")
    for endpoint in endpoints.order_by("pk"):
        append_audit(subject=endpoint.pk, action=EVENT, actor="system", reason=endpoint.disabled_reason)
        _post(endpoint)
        _mail(endpoint)


def _post(endpoint: WebhookEndpoint) -> None:
    # Posting wakes the task that records results, so that neither module can be the first to import the other.
    from runtime.events import post_event_to  # noqa: PLC0415

    if is_subscribed(endpoint.events, EVENT):
        post_event_to(endpoint, EVENT, {"reason": endpoint.disabled_reason, "disabled_at": endpoint.disabled_at})


def _mail(endpoint: WebhookEndpoint) -> None:
    app = endpoint.runtime_app.app
    is_wanted = app.account.notification_preferences.get(PREFERENCE, True)
    if is_wanted and app.account.email_verified_at is not None:
        context = {"company_name": app.account.company_name, "app": app, "is_gone": endpoint.disabled_reason == "gone"}
        queue_mail(to=app.account.email, template="webhook_disabled", context=context)
