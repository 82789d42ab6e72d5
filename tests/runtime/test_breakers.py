"""A breaker leaves an endpoint alone that can't cope, for all workers, and lets one probe at a time find out."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from runtime.deliveries.breakers import WINDOW, has_tripped, is_down, note_outcome
from runtime.deliveries.claims import claim_due, next_opening
from runtime.deliveries.drain import drain_due
from runtime.models import Delivery, DeliveryAttempt, WebhookEndpoint
from tests.fakes import FakeProvider
from tests.runtime.endpoints import let_leases_end, make_due, make_endpoint, post, record_as_late

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def endpoint(make_account, fake_provider: FakeProvider) -> WebhookEndpoint:
    """The endpoint of the fake provider."""
    return make_endpoint(make_account(), fake_provider.webhook_url)


def let_breaker_half_open() -> None:
    """Put the end of the breaker's time into the past."""
    WebhookEndpoint.objects.update(breaker_open_until=timezone.now() - timedelta(seconds=1))


def outcomes(text: str) -> list[str]:
    """Return the outcomes that a text spells: a dot for a success, a letter for a delivery's failure."""
    recent: list[str] = []
    for each in text:
        recent = note_outcome(recent, each, is_failure=each != ".")
    return recent


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("", False),
        ("abcd", False),
        ("abcde", True),
        ("abcd.e", False),
        ("aaaaaaaaaaaa", False),
        ("abababababab", False),
        ("ab.cd.ef.gh.ij", False),
        ("ab.cd.ef.gh.ij.k", True),
        ("abcd.efgh.ijk", True),
        ("." * 20 + "abcde", True),
    ],
)
def test_breaker_opens_after_five_in_a_row_or_more_than_half_of_twenty(text: str, is_open: bool):
    assert has_tripped(outcomes(text)) is is_open


def test_outcomes_are_forgotten_once_all_is_well():
    assert outcomes("abc" + "." * WINDOW) == []
    assert len(outcomes("abc" + "." * (WINDOW - 1))) == WINDOW


@pytest.mark.parametrize(
    ("status", "is_failure"),
    [(None, True), (500, True), (503, True), (429, True), (400, False), (404, False), (302, False), (200, False)],
)
def test_answer_of_a_server_that_works_does_not_count(status: int | None, is_failure: bool):
    assert is_down(status) is is_failure


def test_dead_endpoint_is_left_alone_and_no_attempt_burned(endpoint, fake_provider):
    fake_provider.stop()
    post(endpoint, 40)
    assert drain_due(linger_seconds=0) is False
    endpoint.refresh_from_db()
    assert endpoint.breaker_open_until is not None
    assert timedelta(seconds=25) < endpoint.breaker_open_until - timezone.now() <= timedelta(seconds=30)
    tried = DeliveryAttempt.objects.count()
    assert 5 <= tried <= 40
    untouched = Delivery.objects.filter(status="pending", attempts_made=0, fence=0).count()
    assert untouched == 40 - tried
    assert claim_due() == []
    make_due()
    assert claim_due() == []
    assert next_opening() == endpoint.breaker_open_until


def test_one_probe_at_a_time_over_all_workers(endpoint):
    post(endpoint, 30)
    let_breaker_half_open()
    claimed: list[str] = []
    start = threading.Barrier(6)

    def claim() -> None:
        start.wait()
        for _ in range(5):
            claimed.extend(each.delivery_id for each in claim_due())
        connection.close()

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == 1
    endpoint.refresh_from_db()
    assert endpoint.breaker_open_until is not None
    assert endpoint.breaker_open_until > timezone.now() + timedelta(seconds=25)


def test_probe_that_succeeds_closes_and_all_that_waited_is_sent(endpoint, fake_provider):
    post(endpoint, 30)
    WebhookEndpoint.objects.update(recent_outcomes=["a", "b", "c", "d", "e"], failing_since=timezone.now())
    let_breaker_half_open()
    drain_due(linger_seconds=0)
    assert Delivery.objects.filter(status="delivered", attempts_made=1).count() == 30
    endpoint.refresh_from_db()
    assert (endpoint.breaker_open_until, endpoint.recent_outcomes, endpoint.failing_since) == (None, [], None)


def test_probe_that_fails_or_is_lost_leaves_it_open(endpoint):
    post(endpoint, 10)
    let_breaker_half_open()
    [probe] = claim_due()
    record_as_late(probe)
    assert claim_due() == []
    let_breaker_half_open()
    [_lost] = claim_due()
    let_leases_end()
    assert claim_due() == []
    let_breaker_half_open()
    assert len(claim_due()) == 1


def test_single_delivery_keeps_to_its_policy(endpoint, fake_provider):
    WebhookEndpoint.objects.update(max_retries=7, initial_delay_ms=100, max_delay_ms=100)
    fake_provider.webhook_script = [500] * 7 + [200]
    [delivery] = post(endpoint)
    drain_due(linger_seconds=2)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made) == ("delivered", 8)


def test_refusals_of_a_live_endpoint_open_nothing(endpoint, fake_provider):
    fake_provider.webhook_script = [400] * 30
    post(endpoint, 30)
    drain_due(linger_seconds=0)
    endpoint.refresh_from_db()
    assert (endpoint.breaker_open_until, endpoint.recent_outcomes) == (None, [])
    assert DeliveryAttempt.objects.count() == 30


def test_open_breaker_of_one_endpoint_is_nobody_elses(make_account, fake_provider, endpoint):
    other = make_endpoint(make_account("Other Company"), fake_provider.webhook_url)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(breaker_open_until=timezone.now() + timedelta(seconds=30))
    post(endpoint, 5)
    post(other, 5)
    drain_due(linger_seconds=0)
    assert set(Delivery.objects.filter(status="delivered").values_list("endpoint_id", flat=True)) == {other.pk}
    assert len(fake_provider.requests) == 5
