"""The drain empties the queue, stops for nobody, and survives what fails around it."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection

from runtime.deliveries.drain import MAX_IN_FLIGHT, MAX_UNRECORDED, Drain, drain_due
from runtime.deliveries.guard import DrainGuard
from runtime.models import Delivery, WebhookEndpoint
from tests.fakes import FakeProvider, WebhookStep
from tests.runtime.endpoints import make_endpoint, post

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def endpoint(make_account, fake_provider: FakeProvider) -> WebhookEndpoint:
    """The endpoint of the fake provider."""
    return make_endpoint(make_account(), fake_provider.webhook_url)


def test_drain_empties_a_queue_beyond_every_batch_and_cap(make_account, fake_provider):
    account = make_account()
    for _ in range(3):
        post(make_endpoint(account, fake_provider.webhook_url), 100)
    assert drain_due(linger_seconds=0) is False
    assert Delivery.objects.filter(status="delivered", attempts_made=1).count() == 300
    assert len({request.headers["webhook-id"] for request in fake_provider.requests}) == 300
    assert len(fake_provider.requests) == 300


def test_spell_that_ends_early_says_that_more_is_waiting(endpoint):
    post(endpoint, 3)
    assert drain_due(linger_seconds=0, spell_seconds=-1) is True
    assert Delivery.objects.filter(status="pending", fence=0).count() == 3


@pytest.mark.parametrize("rate_limit", [20, 1])
def test_spell_that_ends_hands_on_at_once_whatever_is_still_waited_for(make_account, fake_provider, rate_limit):
    account = make_account()
    fake_provider.webhook_script = [WebhookStep(delay_ms=4000)]
    post(make_endpoint(account, fake_provider.webhook_url))
    handed_on_at: list[float] = []
    began_at = time.monotonic()
    guard = DrainGuard()
    guard.take()
    drain = Drain(guard, linger_seconds=2, spell_seconds=1, hand_on=lambda: handed_on_at.append(time.monotonic()))

    def run() -> None:
        drain.run()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    fake_provider.wait_for(lambda request: request.route == "webhooks")
    post(make_endpoint(account, fake_provider.webhook_url, rate_limit_per_second=rate_limit), 100)
    guard.take()
    thread.join()
    [moment] = handed_on_at
    assert moment - began_at >= 1
    assert time.monotonic() - moment > 1


def test_spell_that_ends_with_nothing_near_hands_on_nothing(endpoint, fake_provider):
    fake_provider.webhook_script = [500]
    [delivery] = post(endpoint)
    handed_on: list[bool] = []
    guard = DrainGuard()
    guard.take()
    Drain(guard, linger_seconds=0, spell_seconds=20, hand_on=lambda: handed_on.append(True)).run()
    delivery.refresh_from_db()
    assert (delivery.attempts_made, handed_on) == (1, [])


def test_drains_of_one_process_share_what_may_be_unrecorded(endpoint):
    guard = DrainGuard()
    old, new = (Drain(guard, linger_seconds=0, spell_seconds=20) for _ in range(2))
    guard.unrecorded += [old._unrecorded, new._unrecorded]
    old._in_flight = MAX_IN_FLIGHT
    assert new._has_room()
    assert new._claim_limit() == MAX_UNRECORDED - MAX_IN_FLIGHT
    new._in_flight = MAX_UNRECORDED - MAX_IN_FLIGHT
    assert not new._has_room()
    assert (new._claim_limit(), old._claim_limit()) == (0, 0)


def test_no_transaction_is_open_while_http_runs(endpoint, fake_provider):
    post(endpoint, 3)
    states: list[int] = []

    def look() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state LIKE 'idle in transaction%%'"
            )
            states.append(cursor.fetchone()[0])
        connection.close()

    fake_provider.webhook_script = [WebhookStep(delay_ms=600)] * 3
    drainer = threading.Thread(target=_drain_in_thread)
    drainer.start()
    fake_provider.wait_for_count(3, lambda request: request.route == "webhooks")
    look()
    drainer.join()
    assert states == [0]


def test_slow_endpoint_delays_no_other_in_the_same_drain(make_account, fake_provider):
    account = make_account()
    slow = make_endpoint(account, f"{fake_provider.webhook_url}/slow")
    quick = make_endpoint(account, f"{fake_provider.webhook_url}/quick")
    fake_provider.webhook_script = [WebhookStep(delay_ms=3000)]
    post(slow)
    drainer = threading.Thread(target=_drain_in_thread)
    drainer.start()
    fake_provider.wait_for(lambda request: request.path.endswith("/slow"))
    began_at = time.monotonic()
    post(quick)
    assert drain_due() is False
    fake_provider.wait_for(lambda request: request.path.endswith("/quick"))
    assert time.monotonic() - began_at < 1
    _wait_until(lambda: Delivery.objects.get(endpoint=quick).status == "delivered")
    assert time.monotonic() - began_at < 1.5
    assert Delivery.objects.get(endpoint=slow).status == "pending"
    drainer.join()
    assert Delivery.objects.get(endpoint=slow).status == "delivered"


def _drain_in_thread() -> None:
    drain_due(linger_seconds=0)
    connection.close()


def _wait_until(condition: Callable[[], bool], timeout_seconds: float = 5) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, "The condition did not come true in time."
        time.sleep(0.02)


def test_results_are_kept_over_a_database_that_is_away_for_a_moment(endpoint, fake_provider):
    fake_provider.webhook_script = [WebhookStep(delay_ms=400)]
    post(endpoint)
    drainer = threading.Thread(target=_drain_in_thread)
    drainer.start()
    fake_provider.wait_for(lambda request: request.route == "webhooks")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%%runtime_delivery%%'"
        )
    drainer.join()
    assert Delivery.objects.get().status == "delivered"
    assert len(fake_provider.requests) == 1


def test_guard_lets_one_in_and_keeps_wishes_for_it():
    guard = DrainGuard()
    assert guard.take()
    assert guard.take_wish()
    assert not guard.take_wish()
    assert not guard.take()
    assert not guard.give_up()
    assert guard.take_wish()
    assert guard.give_up()
    assert guard.take()


def test_guard_is_free_again_after_a_drain_that_failed(endpoint, fake_provider, monkeypatch):
    post(endpoint)
    WebhookEndpoint.objects.update(timeout_ms=0)
    Delivery.objects.update(fence=2_147_483_647)
    with pytest.raises(Exception, match="out of range"):
        drain_due(linger_seconds=0)
    Delivery.objects.update(fence=0)
    WebhookEndpoint.objects.update(timeout_ms=5000)
    drain_due(linger_seconds=0)
    assert Delivery.objects.get().status == "delivered"


def test_drain_of_a_process_that_ends_claims_nothing_more_and_hands_on(endpoint, fake_provider):
    post(endpoint, 3)
    guard = DrainGuard()
    assert guard.take()
    guard.is_stopping = True
    assert Drain(guard, linger_seconds=0, spell_seconds=20).run() is True
    assert Delivery.objects.filter(status="pending", fence=0).count() == 3
    assert guard.take()


def test_a_drain_whose_places_are_all_taken_leaves_the_rest_to_other_workers():
    drain = Drain(DrainGuard(), linger_seconds=0, spell_seconds=20)
    assert drain._claim_limit() == MAX_IN_FLIGHT
    drain._in_flight = MAX_IN_FLIGHT
    assert drain._claim_limit() == 0
    drain._ended_since_look = 30
    assert drain._claim_limit() == 60


def test_a_drain_gives_back_every_connection(endpoint):
    connection.close()
    # A thread that another test left behind may hold one.
    held_before = _connections_held()
    for _ in range(3):
        post(endpoint, 1)
        drain_due(linger_seconds=0)
    connection.close()
    # The pool takes connections back on a thread of its own.
    _wait_until(lambda: _connections_held() <= held_before)


def _connections_held() -> int:
    stats = connection.pool.get_stats()  # type: ignore[attr-defined]
    return int(stats["pool_size"]) - int(stats["pool_available"])


def test_every_retry_that_is_near_is_waited_for(make_account, fake_provider):
    endpoint = make_endpoint(make_account(), fake_provider.webhook_url, initial_delay_ms=200)
    fake_provider.webhook_script = [WebhookStep(503), WebhookStep(503, headers={"Retry-After": "1"})]
    post(endpoint, 2)
    drain_due(linger_seconds=3)
    assert Delivery.objects.filter(status="delivered", attempts_made=2).count() == 2
