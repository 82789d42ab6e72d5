"""The way not taken, to compare with: one Celery task a delivery, sent with requests, its attempt recorded."""

import threading
import time
from typing import Any

import requests
from celery import shared_task
from django.utils import timezone

from runtime.models import Delivery, DeliveryAttempt, DeliveryStatus
from runtime.signatures import sign_hex
from runtime.signing_secrets import signing_secret

_local = threading.local()


@shared_task
def deliver(delivery_id: str) -> None:
    """Send one delivery and write what came of it."""
    delivery = Delivery.objects.select_related("event", "endpoint__runtime_app__app").get(pk=delivery_id)
    app = delivery.endpoint.runtime_app
    body = delivery.event.body.encode()
    headers = {"Content-Type": "application/json", "X-Aiffinity-Signature": sign_hex(signing_secret(app), body)}
    began_at = time.monotonic()
    response = _session().post(app.app.webhook_url, data=body, headers=headers, timeout=5)
    now = timezone.now()
    DeliveryAttempt.objects.create(
        delivery=delivery,
        number=1,
        attempted_at=now,
        status_code=response.status_code,
        latency_ms=round((time.monotonic() - began_at) * 1000),
        response_excerpt=response.text[:2048],
    )
    Delivery.objects.filter(pk=delivery.pk).update(
        status=DeliveryStatus.DELIVERED, attempts_made=1, finished_at=now, next_attempt_at=None
    )


def _session() -> Any:
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
    return _local.session
