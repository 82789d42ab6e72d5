"""Posting events: the outbox is written in the transaction of what it tells (spec 4 "Events and webhooks").

An event with its body and one delivery are rows that commit, or vanish, together with the change that they
tell about; a worker is only woken afterwards. Nothing is written where nobody subscribes.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from aiffinity.lib.envelope import dump_json
from aiffinity.lib.ids import new_id
from aiffinity.lib.wakeups import wake_on_commit
from providers.models import App
from runtime.event_types import EVENT_GROUPS, EVENT_TYPES, EventType, is_event_pattern, is_subscribed
from runtime.models import Delivery, Event, WebhookEndpoint

__all__ = [
    "EVENT_GROUPS",
    "EVENT_TYPES",
    "EventType",
    "is_event_pattern",
    "is_subscribed",
    "post_event",
    "post_event_to",
    "post_events",
]

Posting = tuple[App | str, str, dict[str, Any]]


def post_event(app: App | str, event_type: str, data: dict[str, Any]) -> Event | None:
    """Write an event and its delivery inside the caller's transaction; None where nobody subscribes.

    `app` is the app or its id. Raises ValueError for a type or a member of `data` that is not documented, and
    TransactionManagementError outside a transaction.
    """
    return post_events([(app, event_type, data)])[0]


def post_events(batch: Sequence[Posting]) -> list[Event | None]:
    """Write many events with three statements; the answer has a place for each, as `post_event` gives it."""
    for _, event_type, data in batch:
        _check_documented(event_type, data)
    app_ids = [app if isinstance(app, str) else app.pk for app, _, _ in batch]
    patterns = _subscriptions(set(app_ids))
    events = [
        _build_event(app_id, event_type, data)
        if app_id in patterns and is_subscribed(patterns[app_id], event_type)
        else None
        for app_id, (_, event_type, data) in zip(app_ids, batch, strict=True)
    ]
    _write([event for event in events if event is not None])
    return events


def post_event_to(endpoint: WebhookEndpoint, event_type: str, data: dict[str, Any]) -> Delivery:
    """Write an event for an endpoint, subscribed or not, and return its delivery; see `post_event`."""
    _check_documented(event_type, data)
    [delivery] = _write([_build_event(endpoint.pk, event_type, data)])
    return delivery


def _check_documented(event_type: str, data: dict[str, Any]) -> None:
    if event_type not in EVENT_TYPES:
        raise ValueError(f"There is no event type '{event_type}'; runtime.event_types lists them all.")
    unknown = data.keys() - {field.name for field in EVENT_TYPES[event_type].data_fields}
    if unknown:
        names = ", ".join(sorted(unknown))
        raise ValueError(f"Event type '{event_type}' has no documented data named {names}.")


def _subscriptions(app_ids: set[str]) -> dict[str, list[str]]:
    """Return the subscribed patterns of those apps that can get deliveries now."""
    endpoints = WebhookEndpoint.objects.filter(
        pk__in=app_ids, disabled_at=None, runtime_app__app__deleted_at=None
    ).exclude(runtime_app__app__webhook_url="")
    return dict(endpoints.values_list("pk", "events"))


def _build_event(app_id: str, event_type: str, data: dict[str, Any]) -> Event:
    event_id, created_at = new_id("evt"), timezone.now()
    body = {
        "id": event_id,
        "type": event_type,
        "created_at": created_at,
        "app_id": app_id,
        "idempotency_key": event_id,
        "data": data,
    }
    return Event(id=event_id, app_id=app_id, type=event_type, body=dump_json(body).decode(), created_at=created_at)


def _write(events: list[Event]) -> list[Delivery]:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "An event belongs to the transaction of what it tells about; post it inside transaction.atomic()."
        )
    if not events:
        return []
    Event.objects.bulk_create(events)
    deliveries = Delivery.objects.bulk_create(
        Delivery(
            event=event,
            endpoint_id=event.app_id,
            next_attempt_at=event.created_at,
            created_at=event.created_at,
        )
        for event in events
    )
    wake_on_commit("runtime.tasks.deliver_due_webhooks")
    return deliveries
