"""Recoveries are carried out batch by batch: in turn, each delivery once, and not where nothing is sent any more."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from providers.applications import delete_app
from runtime.deliveries import recovery_batches
from runtime.deliveries.drain import drain_due
from runtime.deliveries.recovering import recover_deliveries, replay_since
from runtime.deliveries.recovery_batches import carry_out_recoveries
from runtime.models import Delivery, Recovery, WebhookEndpoint
from tests.fakes import FakeProvider
from tests.runtime.endpoints import finish, make_endpoint, post

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 4, 10, 0, tzinfo=UTC)
BATCH = 10


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery_batches, "BATCH_SIZE", BATCH)


@pytest.fixture
def endpoint(make_account, fake_provider: FakeProvider) -> WebhookEndpoint:
    """The endpoint of the fake provider, which gives up at once."""
    return make_endpoint(make_account(), fake_provider.webhook_url, max_retries=0)


@pytest.fixture
def call(api, id_token, endpoint) -> Callable[..., Any]:
    """Return a function that calls a path below the app as its owner."""
    token = id_token(endpoint.runtime_app.app.account)
    path = f"/v1/providers/runtime/apps/{endpoint.pk}"
    return lambda method, below, body=None: api(method, f"{path}{below}", body, token=token)


def carry_out_one_batch() -> None:
    """Do one batch and leave the rest."""
    assert carry_out_recoveries(spell_seconds=0)


def pending() -> int:
    """Return how many deliveries are sent again."""
    return Delivery.objects.filter(status="pending").count()


def test_recoveries_take_turns(endpoint, make_account, fake_provider):
    other = make_endpoint(make_account("Other Company"), fake_provider.webhook_url, name="Other Weather")
    finish(post(endpoint, 40), "failed")
    finish(post(other, 3), "failed")
    recover_deliveries(endpoint, since=NOW, actor="test")
    small = recover_deliveries(other, since=NOW, actor="test")
    carry_out_one_batch()
    carry_out_one_batch()
    small.refresh_from_db()
    assert (small.status, small.resent_count, pending()) == ("finished", 3, 13)


@pytest.mark.parametrize("is_by_time", [True, False], ids=["times apart", "one time"])
def test_batches_leave_nothing_out_and_begin_with_the_oldest(endpoint, is_by_time):
    deliveries = post(endpoint, 25)
    finish(deliveries, "failed")
    Delivery.objects.update(finished_at=timezone.now())
    if is_by_time:
        for place, delivery in enumerate(reversed(deliveries)):
            finish([delivery], "failed", timedelta(minutes=100 - place))
    recover_deliveries(endpoint, since=NOW, actor="test")
    carry_out_one_batch()
    expected = list(reversed(deliveries))[:BATCH] if is_by_time else deliveries
    assert {each.pk for each in Delivery.objects.filter(status="pending")} == {each.pk for each in expected}
    assert not carry_out_recoveries()
    assert Delivery.objects.filter(status="pending", fence=1).count() == 25


def test_events_of_one_type_are_found_among_many_others(endpoint):
    deliveries = post(endpoint, 45)
    finish(deliveries, "delivered")
    rare = [deliveries[3], deliveries[-1]]
    for delivery in rare:
        type(delivery.event).objects.filter(pk=delivery.event_id).update(type="package.published")
    recovery = replay_since(endpoint, since=NOW, event_type="package.published", actor="test")
    assert recovery.count == 2
    carry_out_one_batch()
    assert pending() == 1
    assert not carry_out_recoveries()
    assert {each.pk for each in Delivery.objects.filter(status="pending")} == {each.pk for each in rare}


def test_what_fails_anew_is_not_sent_again_by_the_same_recovery(endpoint, fake_provider):
    finish(post(endpoint, 15), "failed")
    recover_deliveries(endpoint, since=NOW, actor="test")
    carry_out_one_batch()
    fake_provider.webhook_script = [500] * BATCH
    drain_due(linger_seconds=0)
    assert not carry_out_recoveries()
    assert pending() == 5
    assert Delivery.objects.filter(status="failed", attempts_made=4).count() == BATCH


def test_recovery_answers_a_time_long_ago_as_the_time_that_it_is(call):
    answer = call("POST", "/webhooks/recover", {"since": "0201-10-20T00:54:30.1+02:00"})
    assert (answer.status_code, answer.json()["data"]["since"]) == (202, "0201-10-19T22:54:30Z")


@pytest.mark.parametrize("why", ["disabled", "no url", "deleted"])
def test_recovery_stops_where_nothing_is_sent_any_more(endpoint, call, why):
    finish(post(endpoint, 25), "failed")
    body = {"since": NOW.isoformat()}
    recovery_id = call("POST", "/webhooks/recover", body).json()["data"]["id"]
    carry_out_one_batch()
    reasons = {
        "disabled": "The endpoint is disabled.",
        "no url": "The app has no webhook URL.",
        "deleted": "The app was deleted.",
    }
    if why == "disabled":
        WebhookEndpoint.objects.update(disabled_at=timezone.now())
    elif why == "no url":
        assert call("PATCH", "", {"webhook_url": ""}).status_code == 200
    else:
        delete_app(endpoint.runtime_app.app, actor="test")
    assert not carry_out_recoveries()
    recovery = Recovery.objects.get()
    assert (recovery.status, recovery.stop_reason) == ("stopped", reasons[why])
    assert (recovery.count, recovery.resent_count, pending()) == (25, BATCH, BATCH)
    drain_due(linger_seconds=0)
    assert set(Delivery.objects.values_list("status", "attempts_made")) == {("failed", 3)}
    shown = call("GET", f"/webhooks/recoveries/{recovery_id}")
    if why == "deleted":
        assert shown.status_code == 404
    else:
        assert (shown.json()["data"]["status"], shown.json()["data"]["stop_reason"]) == ("stopped", reasons[why])
        assert call("POST", "/webhooks/recover", body).json()["error"]["code"] == "INVALID_STATE"


def test_all_is_sent_again_once_a_disabled_endpoint_is_mended(endpoint, call, fake_provider):
    finish(post(endpoint, 25), "failed")
    body = {"since": NOW.isoformat()}
    first = call("POST", "/webhooks/recover", body).json()["data"]
    carry_out_one_batch()
    WebhookEndpoint.objects.update(disabled_at=timezone.now())
    drain_due(linger_seconds=0)
    assert not carry_out_recoveries()
    profile = {"url": fake_provider.webhook_url, "events": ["*"]}
    assert call("PUT", "/webhooks", profile).status_code == 200
    second = call("POST", "/webhooks/recover", body).json()["data"]
    assert second["id"] != first["id"]
    assert second["count"] == 25
    assert not carry_out_recoveries()
    drain_due(linger_seconds=0)
    assert Delivery.objects.filter(status="delivered").count() == 25
    sent = [request.headers["x-aiffinity-delivery"] for request in fake_provider.requests_to("webhooks")]
    assert len(sent) == len(set(sent)) == 25


def test_recovery_goes_on_to_the_new_url(make_account, endpoint, call, fake_provider):
    finish(post(endpoint, 25), "failed")
    endpoint.runtime_app.app.webhook_url = "http://127.0.0.1:9/gone"
    endpoint.runtime_app.app.save()
    recover_deliveries(endpoint, since=NOW, actor="test")
    carry_out_one_batch()
    profile = {"url": fake_provider.webhook_url, "events": ["*"], "rate_limit_per_second": 1000}
    assert call("PUT", "/webhooks", profile).status_code == 200
    assert not carry_out_recoveries()
    drain_due(linger_seconds=0)
    assert Recovery.objects.get().status == "finished"
    assert Delivery.objects.filter(status="delivered").count() == 25
    assert len(fake_provider.requests_to("webhooks")) == 25


def walks_of(sql: str) -> list[dict[str, Any]]:
    """Return the steps of a statement's plan that walk along an index of deliveries by time, as they ran."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        [[plan]] = cursor.fetchall()[0]

    def steps(step: dict[str, Any]) -> list[dict[str, Any]]:
        return [step, *(each for inner in step.get("Plans", []) for each in steps(inner))]

    found = [step for step in steps(plan["Plan"]) if step.get("Relation Name") == "runtime_delivery"]
    assert {step["Node Type"] for step in found} <= {"Index Scan", "Bitmap Heap Scan", "ModifyTable"}, found
    return [step for step in found if step.get("Index Name") in ("delivery_failed", "delivery_endpoint_created")]


@pytest.mark.parametrize("kind", ["failed", "posted"])
def test_a_batch_does_not_walk_through_what_was_done_before(endpoint, kind):
    for place, delivery in enumerate(post(endpoint, 100)):
        finish([delivery], "failed", timedelta(minutes=200 - place))
    ask = recover_deliveries if kind == "failed" else replay_since
    ask(endpoint, since=NOW, actor="test")
    for _ in range(3):
        carry_out_one_batch()
    with CaptureQueriesContext(connection) as captured:
        carry_out_one_batch()
    with connection.cursor() as cursor:
        # On a table of a hundred rows nothing else would do without.
        cursor.execute("SET LOCAL enable_seqscan = off")
    [walk] = [step for step in walks_of(captured[-1]["sql"]) if step["Actual Loops"]]
    moment = "finished_at" if kind == "failed" else "created_at"
    assert re.search(rf"{moment} > r_?\d*\.position_at\)", walk["Index Cond"])
    assert re.search(rf"{moment} <= r_?\d*\.until", walk["Index Cond"])
    # One more shows where the last moment ends.
    assert walk["Actual Rows"] == BATCH + 1
    assert "Filter" not in walk
