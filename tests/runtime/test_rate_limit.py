"""The rate limit of an endpoint holds over all claimers, burns no attempt, and is waited for by the drain."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from runtime.deliveries.claims import claim_due, next_opening
from runtime.deliveries.drain import drain_due
from runtime.models import Delivery, DeliveryAttempt, WebhookEndpoint
from tests.fakes import FakeProvider
from tests.runtime.endpoints import make_endpoint, post

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def endpoint(make_account, fake_provider: FakeProvider) -> WebhookEndpoint:
    """An endpoint that takes five deliveries a second."""
    return make_endpoint(make_account(), fake_provider.webhook_url, rate_limit_per_second=5)


def test_one_seconds_worth_is_claimed_and_the_rest_waits_without_an_attempt(endpoint):
    post(endpoint, 12)
    before = timezone.now()
    assert len(claim_due()) == 5
    assert claim_due() == []
    assert Delivery.objects.filter(fence=0, lease_until=None).count() == 7
    opening = next_opening()
    assert opening is not None
    assert timedelta(seconds=0.1) < opening - before < timedelta(seconds=1)


def test_bucket_fills_evenly_and_holds_one_second(endpoint):
    post(endpoint, 20)
    assert len(claim_due()) == 5
    WebhookEndpoint.objects.update(paced_until=timezone.now() + timedelta(seconds=0.55))
    assert len(claim_due()) == 2
    WebhookEndpoint.objects.update(paced_until=timezone.now() - timedelta(hours=1))
    assert len(claim_due()) == 5


def test_many_claimers_at_once_keep_to_the_limit(endpoint):
    WebhookEndpoint.objects.update(rate_limit_per_second=10)
    post(endpoint, 60)
    claimed: list[str] = []
    start = threading.Barrier(6)

    def claim() -> None:
        start.wait()
        for _ in range(10):
            claimed.extend(each.delivery_id for each in claim_due(limit=7))
        connection.close()

    began_at = time.monotonic()
    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began_at
    assert len(claimed) == len(set(claimed))
    assert 10 <= len(claimed) <= 10 * (seconds + 1)


def test_drain_spreads_what_the_limit_holds_back(endpoint, fake_provider):
    WebhookEndpoint.objects.update(rate_limit_per_second=20)
    post(endpoint, 50)
    assert drain_due(linger_seconds=5) is False
    assert Delivery.objects.filter(status="delivered", attempts_made=1).count() == 50
    times = sorted(DeliveryAttempt.objects.values_list("attempted_at", flat=True))
    assert 1.2 <= (times[-1] - times[0]).total_seconds() < 4
    for first, later in zip(times, times[41:], strict=False):
        assert (later - first).total_seconds() > 0.9


def test_limited_endpoint_holds_no_other_up(make_account, fake_provider, endpoint):
    other = make_endpoint(make_account("Other Company"), fake_provider.webhook_url)
    post(endpoint, 30)
    post(other, 15)
    claims = claim_due()
    counts = [claim.target.endpoint_id for claim in claims]
    assert (counts.count(endpoint.pk), counts.count(other.pk)) == (5, 15)


def test_locked_endpoint_is_looked_at_again_soon(endpoint):
    post(endpoint, 3)
    is_locked, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
            is_locked.set()
            may_end.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_locked.wait(10)
    assert claim_due() == []
    opening = next_opening()
    may_end.set()
    holder.join()
    assert opening is not None
    assert opening - timezone.now() < timedelta(seconds=0.2)
    assert len(claim_due()) == 3


def test_nothing_due_opens_never(endpoint):
    assert next_opening() is None
    post(endpoint, 2)
    claim_due()
    assert next_opening() is None
