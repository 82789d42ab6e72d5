"""Claims are fair, leased and fenced, and nobody waits for anybody."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from providers.models import App
from runtime.deliveries import claims as claims_module
from runtime.deliveries.claims import claim_due
from runtime.deliveries.drain import drain_due
from runtime.events import post_events
from runtime.models import Delivery, DeliveryAttempt, WebhookEndpoint
from tests.fakes import FakeProvider
from tests.runtime.endpoints import let_leases_end, make_endpoint, post, record_as_late

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def endpoint(make_account, fake_provider: FakeProvider) -> WebhookEndpoint:
    """The endpoint of the fake provider."""
    return make_endpoint(make_account(), fake_provider.webhook_url)


def test_claims_are_leased_fenced_and_capped_per_endpoint(endpoint):
    post(endpoint, 30)
    before = timezone.now()
    claims = claim_due()
    assert len(claims) == 20
    for delivery in Delivery.objects.exclude(lease_until=None):
        assert delivery.fence == 1
        assert delivery.next_attempt_at == delivery.lease_until
        assert delivery.lease_until is not None
        assert 14 < (delivery.lease_until - before).total_seconds() < 20
    assert claim_due() == []
    let_leases_end()
    assert len(claim_due()) == 20


def test_failing_endpoint_has_less_room(endpoint):
    WebhookEndpoint.objects.update(failing_since=timezone.now())
    post(endpoint, 30)
    assert len(claim_due()) == 4
    assert claim_due() == []


def test_claims_go_round_the_endpoints(make_account, fake_provider):
    account = make_account()
    busy, *quiet = [make_endpoint(account, fake_provider.webhook_url) for _ in range(5)]
    post(busy, 40)
    for each in quiet:
        post(each, 2)
    claims = claim_due(limit=12)
    by_endpoint = [claim.target.endpoint_id for claim in claims]
    assert len(claims) == 12
    rest = claim_due(limit=50)
    everything = by_endpoint + [claim.target.endpoint_id for claim in rest]
    assert {each.pk: everything.count(each.pk) for each in quiet} == {each.pk: 2 for each in quiet}
    assert everything.count(busy.pk) == 20


def test_many_claimers_at_once_never_share_a_delivery(make_account, fake_provider):
    account = make_account()
    endpoints = [make_endpoint(account, fake_provider.webhook_url) for _ in range(8)]
    for each in endpoints:
        post(each, 15)
    claimed: list[str] = []
    start = threading.Barrier(6)

    def claim() -> None:
        start.wait()
        while claims := claim_due(limit=10):
            claimed.extend(each.delivery_id for each in claims)
        connection.close()

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed))
    assert Delivery.objects.filter(fence=1).count() == len(claimed)
    assert not Delivery.objects.filter(fence__gt=1).exists()


def test_locked_rows_hold_no_claimer_up(endpoint):
    post(endpoint, 5)
    locked_ids: list[str] = []
    is_locked, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            rows = Delivery.objects.select_for_update().order_by("id")[:2]
            locked_ids.extend(row.pk for row in rows)
            is_locked.set()
            may_end.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_locked.wait(10)
    claims = claim_due()
    may_end.set()
    holder.join()
    assert len(claims) == 3
    assert not {claim.delivery_id for claim in claims} & set(locked_ids)


@pytest.mark.parametrize("count", [2, 20])
def test_claiming_and_recording_take_the_same_queries_for_any_batch(endpoint, count):
    post(endpoint, count)
    with CaptureQueriesContext(connection) as claiming:
        claims = claim_due()
    with CaptureQueriesContext(connection) as recording:
        record_as_late(*claims)
    assert (len(claims), len(claiming), len(recording)) == (count, 2, 6)
    assert DeliveryAttempt.objects.count() == count


def test_process_that_is_stopped_while_it_records_is_given_up(endpoint):
    post(endpoint)
    claims = claim_due()
    with transaction.atomic(), connection.cursor() as cursor:
        record_as_late(*claims)
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("30s",)
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("0",)


def test_result_of_a_lost_lease_changes_nothing(endpoint):
    post(endpoint)
    [stale] = claim_due()
    let_leases_end()
    [current] = claim_due()
    assert (stale.fence, current.fence) == (1, 2)
    record_as_late(stale)
    delivery = Delivery.objects.get()
    assert (delivery.attempts_made, delivery.last_error, delivery.lease_until is None) == (0, "", False)
    assert DeliveryAttempt.objects.count() == 0
    record_as_late(current)
    delivery.refresh_from_db()
    assert (delivery.attempts_made, delivery.last_error) == (1, "Late.")


def test_delivery_of_a_dead_worker_is_sent_when_its_lease_ends(endpoint, fake_provider):
    [delivery] = post(endpoint)
    claim_due()
    drain_due(linger_seconds=0)
    assert fake_provider.requests == []
    let_leases_end()
    drain_due(linger_seconds=0)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made, delivery.fence) == ("delivered", 1, 2)


def test_a_result_that_is_written_twice_counts_once(endpoint):
    post(endpoint)
    claims = claim_due()
    for _ in range(2):
        # As when the connection broke after the commit and before its answer.
        record_as_late(*claims)
    assert Delivery.objects.get().attempts_made == 1
    assert DeliveryAttempt.objects.count() == 1


def test_what_is_to_be_stopped_waits_for_no_breaker(endpoint):
    post(endpoint, 30)
    WebhookEndpoint.objects.update(breaker_open_until=timezone.now() + timedelta(seconds=30))
    App.objects.update(deleted_at=timezone.now())
    drain_due(linger_seconds=0)
    assert Delivery.objects.filter(status="failed", last_error="The app was deleted.", attempts_made=0).count() == 30


def test_a_claim_does_not_walk_through_a_queue_that_just_filled(make_account, fake_provider):
    account = make_account()
    endpoints = [make_endpoint(account, fake_provider.webhook_url) for _ in range(4)]
    for endpoint in endpoints:
        post(endpoint, 25)
    Delivery.objects.update(status="delivered", next_attempt_at=None)
    with connection.cursor() as cursor:
        # The planner learns what it knows at a quiet moment: that hardly anything is ever pending.
        cursor.execute("ANALYZE runtime_delivery")
    for endpoint in endpoints:
        with transaction.atomic():
            post_events([(endpoint.pk, "install.created", {})] * 1000)
    assert _most_rows_read(claims_module._CLAIM) <= 100


# What the planner may believe of the table: nothing yet, all that is there, or that it was just emptied.
@pytest.mark.parametrize("believed", [(0, -1), None, (0, 0), (100, 0), (1000, 1)])
@pytest.mark.parametrize("statement", ["_CLAIM", "_NEXT_OPENING"])
def test_a_claim_does_not_walk_through_the_queue_whatever_the_planner_believes(
    make_account, fake_provider, believed, statement
):
    account = make_account()
    endpoints = [make_endpoint(account, fake_provider.webhook_url) for _ in range(4)]
    with transaction.atomic():
        post_events([(endpoint.pk, "install.created", {}) for endpoint in endpoints for _ in range(1000)])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ANALYZE runtime_delivery")
        if believed is not None:
            belief = "UPDATE pg_class SET relpages = %s, reltuples = %s WHERE oid = 'runtime_delivery'::regclass"
            cursor.execute(belief, believed)
        assert _most_rows_read(getattr(claims_module, statement)) <= 100
        transaction.set_rollback(True)


def _most_rows_read(statement: str) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(claims_module._PLAN)
        return max(_rows_read(statement, {**claims_module._parameters(), "batch": 20}))


def _rows_read(statement: str, parameters: Any) -> Iterator[int]:
    """Yield how many rows each scan of a statement really read, those that it filtered out included."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
        (content,) = cursor.fetchone()
    plans = [each["Plan"] for each in (json.loads(content) if isinstance(content, str) else content)]
    while plans:
        plan = plans.pop()
        plans.extend(plan.get("Plans", ()))
        if "Relation Name" in plan:
            read = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
            yield round(read * plan["Actual Loops"])
