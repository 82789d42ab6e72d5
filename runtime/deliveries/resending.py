"""What a provider may ask for: a delivery once more, or a test (spec 2 "Runtime", spec 4)."""

from django.db import transaction
from django.utils import timezone

from aiffinity.lib.audit import append_audit
from aiffinity.lib.errors import InvalidState
from aiffinity.lib.views import get_owned
from aiffinity.lib.wakeups import wake_on_commit
from runtime.events import post_event_to
from runtime.models import Delivery, DeliveryStatus, RuntimeApp, WebhookEndpoint

PING = "platform.ping"


def replay_delivery(delivery: Delivery, *, actor: str, reason: str = "") -> Delivery:
    """Send a delivery once more, with the same body and a fresh series of retries, and return it.

    Attempts of before stay; a result that is still on its way counts no longer. Raises InvalidState while a
    worker holds the delivery, and where the endpoint gets none; NotFound for one that was purged a moment ago.
    """
    with transaction.atomic():
        deliveries = Delivery.objects.select_for_update(of=("self",)).select_related("event")
        locked = get_owned(deliveries, delivery.pk)
        now = timezone.now()
        if locked.lease_until is not None and locked.lease_until > now:
            raise InvalidState("This delivery is being sent right now; look at its outcome first.")
        require_open(locked.endpoint)
        locked.status = DeliveryStatus.PENDING
        locked.fence += 1
        locked.lease_until = None
        locked.attempts_before_series = locked.attempts_made
        locked.series_started_at = None
        locked.finished_at = None
        locked.next_attempt_at = now
        locked.save()
        append_audit(
            subject=locked.endpoint_id,
            action="webhook_delivery.replayed",
            actor=actor,
            reason=reason,
            data={"delivery_id": locked.pk},
        )
        wake_on_commit("runtime.tasks.deliver_due_webhooks")
    return locked


def send_ping(runtime_app: RuntimeApp, *, actor: str, reason: str = "") -> Delivery:
    """Post a `platform.ping` to the app's endpoint, whatever it subscribed to, and return the delivery.

    Raises InvalidState where there is no webhook profile, or its endpoint is disabled or has no URL.
    """
    with transaction.atomic():
        endpoint = require_endpoint(runtime_app)
        require_open(endpoint)
        append_audit(subject=endpoint.pk, action="webhook.tested", actor=actor, reason=reason)
        return post_event_to(endpoint, PING, {"message": "It works: the platform can reach this endpoint."})


def require_endpoint(runtime_app: RuntimeApp) -> WebhookEndpoint:
    """Return the app's endpoint. Raises InvalidState where there is no webhook profile."""
    endpoint = WebhookEndpoint.objects.filter(runtime_app=runtime_app).select_related("runtime_app__app").first()
    if endpoint is None:
        raise InvalidState("The app has no webhook profile; put one first.")
    return endpoint


def require_open(endpoint: WebhookEndpoint) -> None:
    """Raise InvalidState, saying what to do, where an endpoint gets no deliveries."""
    if endpoint.runtime_app.app.deleted_at is not None:
        raise InvalidState("The app was deleted; nothing is sent to it any more.")
    if endpoint.disabled_at is not None:
        raise InvalidState("The app's webhook endpoint is disabled; put the webhook profile again first.")
    if not endpoint.runtime_app.app.webhook_url:
        raise InvalidState("The app has no webhook URL; put the webhook profile first.")
