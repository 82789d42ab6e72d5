"""Endpoints of made-up apps, and what tests of events and deliveries do with them."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from aiffinity.lib.outbound import OutboundTimeout
from providers.models import Account
from runtime.deliveries.claims import Claim
from runtime.deliveries.outcomes import judge
from runtime.deliveries.recording import record_results
from runtime.events import post_events
from runtime.models import Delivery, WebhookEndpoint
from runtime.registration import register_runtime_app
from runtime.signing_secrets import set_signing_secret
from tests.fakes.switches import SIGNING_SECRET


def make_endpoint(
    account: Account, url: str, *, secret: str = SIGNING_SECRET, name: str = "Acme Weather", **fields: Any
) -> WebhookEndpoint:
    """Register an app whose events go to `url`, signed with `secret`; `fields` are the endpoint's.

    The first retry comes after a minute, so that no test meets it by chance.
    """
    registered = register_runtime_app(
        account,
        actor="test",
        fields={
            "name": name,
            "description": "Weather for everyone",
            "runtime_url": "https://api.acmeweather.com/aiffinity",
            "webhook_url": url,
        },
    )
    set_signing_secret(registered.runtime_app, actor="test", value=secret)
    endpoints = WebhookEndpoint.objects.filter(pk=registered.runtime_app.pk)
    endpoints.update(**{"initial_delay_ms": 60_000, **fields})
    return endpoints.select_related("runtime_app__app").get()


def post(endpoint: WebhookEndpoint, count: int = 1) -> list[Delivery]:
    """Post events and return their deliveries."""
    with transaction.atomic():
        events = post_events(
            [(endpoint.pk, "install.created", {"install_id": f"inst_{number}"}) for number in range(count)]
        )
    return [Delivery.objects.get(event=event) for event in events]


def finish(deliveries: list[Delivery], status: str, ago: timedelta = timedelta(0)) -> None:
    """Let deliveries be over as soon as they were made, or so long before."""
    Delivery.objects.filter(pk__in=[each.pk for each in deliveries]).update(
        status=status, finished_at=F("created_at") - ago, next_attempt_at=None, attempts_made=3
    )


def delay_seconds(delivery: Delivery) -> float:
    """Return the time from the first attempt of the series to the one that comes next."""
    assert delivery.series_started_at is not None
    assert delivery.next_attempt_at is not None
    return (delivery.next_attempt_at - delivery.series_started_at).total_seconds()


def make_due() -> None:
    """Let every waiting retry be due now."""
    Delivery.objects.filter(status="pending", lease_until=None).update(next_attempt_at=timezone.now())


def let_leases_end() -> None:
    """Put every lease into the past, as when its worker died."""
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.exclude(lease_until=None).update(lease_until=past, next_attempt_at=past)


def record_as_late(*claims: Claim) -> None:
    """Record that the endpoint did not answer in time."""
    now = timezone.now()
    record_results([judge(claim, OutboundTimeout("Late."), attempted_at=now, now=now) for claim in claims])
