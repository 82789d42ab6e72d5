"""Deliveries, attempts and events are forgotten after 30 days; what is pending or was replayed since is not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from aiffinity.lib.retention import purge_all
from runtime.deliveries import purging
from runtime.deliveries.recovering import recover_deliveries
from runtime.models import Delivery, DeliveryAttempt, Event, Recovery, WebhookEndpoint
from tests.runtime.endpoints import make_endpoint, post

pytestmark = pytest.mark.django_db
OLD = timedelta(days=31)
YOUNG = timedelta(days=29)


@pytest.fixture
def endpoint(make_account) -> WebhookEndpoint:
    """An endpoint that subscribed to everything."""
    return make_endpoint(make_account(), "https://acmeweather.com/webhooks")


def aged(endpoint: WebhookEndpoint, made: timedelta, status: str, ended: timedelta, *attempted: timedelta) -> Delivery:
    """Post an event whose delivery was made, tried and over so long ago."""
    now = timezone.now()
    [delivery] = post(endpoint)
    Event.objects.filter(pk=delivery.event_id).update(created_at=now - made)
    finished_at = None if status == "pending" else now - ended
    Delivery.objects.filter(pk=delivery.pk).update(created_at=now - made, status=status, finished_at=finished_at)
    for number, ago in enumerate(attempted, 1):
        DeliveryAttempt.objects.create(delivery=delivery, number=number, attempted_at=now - ago, latency_ms=1)
    return delivery


def purge() -> tuple[int, int, int]:
    """Run the room's purges in their order."""
    now = timezone.now()
    return purging.purge_deliveries(now), purging.purge_attempts(now), purging.purge_events(now)


def test_only_what_is_over_for_30_days_goes(endpoint):
    aged(endpoint, OLD, "delivered", OLD, OLD)
    aged(endpoint, OLD, "failed", OLD, OLD, OLD)
    young = aged(endpoint, YOUNG, "delivered", YOUNG, YOUNG)
    pending = aged(endpoint, OLD, "pending", OLD, OLD)
    replayed = aged(endpoint, OLD, "delivered", YOUNG, OLD, YOUNG)
    assert purge() == (2, 1, 2)
    assert set(Delivery.objects.values_list("pk", flat=True)) == {young.pk, pending.pk, replayed.pk}
    assert set(Event.objects.values_list("pk", flat=True)) == {each.event_id for each in (young, pending, replayed)}
    assert [each.number for each in replayed.attempts.all()] == [2]
    assert pending.attempts.count() == young.attempts.count() == 1
    assert purge() == (0, 0, 0)


def test_recoveries_that_ended_30_days_ago_go(endpoint):
    old, young, running = (
        recover_deliveries(endpoint, since=timezone.now() - timedelta(days=days), actor="test") for days in range(3)
    )
    for recovery, ended in ((old, OLD), (young, YOUNG)):
        Recovery.objects.filter(pk=recovery.pk).update(status="finished", finished_at=timezone.now() - ended)
    Recovery.objects.filter(pk=running.pk).update(created_at=timezone.now() - OLD)
    assert purging.purge_recoveries(timezone.now()) == 1
    assert set(Recovery.objects.values_list("pk", flat=True)) == {young.pk, running.pk}


def test_purge_goes_on_batch_by_batch(endpoint, monkeypatch, make_account):
    monkeypatch.setattr(purging, "BATCH_SIZE", 3)
    other = make_endpoint(make_account("Other Company"), "https://other.example.com/webhooks")
    for each in (endpoint, other):
        for _ in range(7):
            aged(each, OLD, "failed", OLD, OLD)
    assert purge() == (14, 0, 14)
    assert DeliveryAttempt.objects.count() == Delivery.objects.count() == Event.objects.count() == 0


def test_platforms_purge_runs_them_in_an_order_that_works(endpoint):
    aged(endpoint, OLD, "delivered", OLD, OLD)
    purged = {each.name: each.deleted for each in purge_all()}
    assert (purged["webhook deliveries"], purged["events"]) == (1, 1)
    assert not Event.objects.exists()
