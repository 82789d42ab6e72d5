"""Deliveries over the API: list, detail, replay and test."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from aiffinity.lib.errors import NotFound
from aiffinity.lib.models import AuditEntry
from runtime.deliveries.claims import claim_due
from runtime.deliveries.drain import drain_due
from runtime.deliveries.resending import replay_delivery
from runtime.models import Delivery, WebhookEndpoint
from tests.fakes import FakeProvider
from tests.runtime.endpoints import let_leases_end, make_due, make_endpoint, post, record_as_late

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(make_account, fake_provider: FakeProvider) -> WebhookEndpoint:
    """The endpoint of the fake provider."""
    return make_endpoint(make_account(), fake_provider.webhook_url)


@pytest.fixture
def base(endpoint) -> str:
    """The path of the app's deliveries and webhooks."""
    return f"/v1/providers/runtime/apps/{endpoint.pk}"


@pytest.fixture
def token(endpoint, access_token) -> str:
    """An access token of the app itself."""
    return str(access_token(endpoint.runtime_app.app))


@pytest.fixture
def stranger(make_account, id_token) -> str:
    """The token of another account."""
    return str(id_token(make_account("Other Company")))


def test_list_filters_by_status_event_and_time(api, base, token, endpoint, fake_provider):
    fake_provider.webhook_script = [500]
    [failing] = post(endpoint)
    drain_due(linger_seconds=0)
    [sent] = post(endpoint)
    drain_due(linger_seconds=0)
    Delivery.objects.filter(pk=failing.pk).update(created_at=timezone.now() - timedelta(days=2))

    def ids(query: str) -> list[str]:
        response = api.get(f"{base}/webhook-deliveries{query}", token=token)
        assert response.status_code == 200
        assert response.json()["meta"]["pagination"]["total"] == len(response.json()["data"])
        return [item["id"] for item in response.json()["data"]]

    assert ids("") == [sent.pk, failing.pk]
    assert ids("?status=pending") == [failing.pk]
    assert ids("?status=delivered&event=install.created") == [sent.pk]
    assert ids("?event=package.submitted") == []
    yesterday = (timezone.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert ids(f"?since={yesterday}") == [sent.pk]


def test_list_is_walked_by_cursor_while_new_ones_come(api, base, token, endpoint):
    expected = [each.pk for each in reversed(post(endpoint, 25))]
    Delivery.objects.filter(pk__in=expected[:15]).update(created_at=timezone.now())
    expected = list(Delivery.objects.order_by("-created_at", "-pk").values_list("pk", flat=True))
    found, query = [], "?limit=10"
    for _ in range(3):
        answer = api.get(f"{base}/webhook-deliveries{query}", token=token).json()
        found += [item["id"] for item in answer["data"]]
        page = answer["meta"]["pagination"]
        assert page["hasMore"] is (page["nextCursor"] is not None)
        query = f"?limit=10&cursor={page['nextCursor']}"
        post(endpoint)
    assert (found, page["nextCursor"]) == (expected, None)


@pytest.mark.parametrize(
    "query",
    [
        *("status=lost", "event=weather.changed", "since=yesterday", "limit=0"),
        *("cursor=x", "cursor=%00", "cursor=YWJj", "cursor=" + "a" * 300, "offset=5&cursor=MjAyNi0wNC0wNHxkbHZfMQ"),
    ],
)
def test_list_refuses_bad_filters(api, base, token, query):
    response = api.get(f"{base}/webhook-deliveries?{query}", token=token)
    assert response.status_code == 400
    assert response.json()["error"]["details"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("status=lost", "status: Use one of pending, delivered, failed."),
        ("event=package.*", "event: Use one type of event, such as install.created; groups are for profiles."),
    ],
)
def test_a_bad_filter_says_what_can_be_given(api, base, token, query, message):
    response = api.get(f"{base}/webhook-deliveries?{query}", token=token)
    assert (response.status_code, response.json()["error"]["message"]) == (400, message)


def test_list_takes_the_same_queries_for_any_page(api, base, token, endpoint, django_assert_num_queries):
    post(endpoint, 1)
    with CaptureQueriesContext(connection) as one:
        api.get(f"{base}/webhook-deliveries", token=token)
    post(endpoint, 15)
    with CaptureQueriesContext(connection) as many:
        assert len(api.get(f"{base}/webhook-deliveries", token=token).json()["data"]) == 16
    assert len(many) <= len(one)


def test_detail_shows_payload_and_attempts(api, base, token, endpoint, fake_provider):
    fake_provider.webhook_script = [500, 200]
    [delivery] = post(endpoint)
    drain_due(linger_seconds=0)
    answer = api.get(f"{base}/webhook-deliveries/{delivery.pk}", token=token).json()["data"]
    assert answer["next_attempt_at"] is not None
    make_due()
    drain_due(linger_seconds=0)
    answer = api.get(f"{base}/webhook-deliveries/{delivery.pk}", token=token).json()["data"]
    assert answer["id"] == delivery.pk
    assert answer["app_id"] == endpoint.pk
    assert (answer["event"], answer["event_id"]) == ("install.created", delivery.event_id)
    assert (answer["status"], answer["attempts_made"], answer["next_attempt_at"]) == ("delivered", 2, None)
    assert answer["payload"] == json.loads(delivery.event.body)
    assert [(each["number"], each["status_code"], each["error"]) for each in answer["attempts"]] == [
        (1, 500, "The endpoint answered 500."),
        (2, 200, ""),
    ]


def test_lease_is_not_shown_as_a_next_attempt(api, base, token, endpoint):
    [delivery] = post(endpoint)
    claim_due()
    answer = api.get(f"{base}/webhook-deliveries/{delivery.pk}", token=token).json()["data"]
    assert (answer["status"], answer["next_attempt_at"]) == ("pending", None)


def test_the_documentation_tells_what_a_delivery_holds(api, base, token, endpoint, fake_provider):
    shapes = api.get("/v1/openapi.json").json()["components"]["schemas"]
    post(endpoint)
    drain_due(linger_seconds=0)
    [delivery] = api.get(f"{base}/webhook-deliveries", token=token).json()["data"]
    properties = shapes["Delivery"]["properties"]
    assert set(properties) == set(delivery)
    assert delivery["last_error"] == ""
    assert properties["last_error"]["description"] == "Why it failed last or was stopped; empty where it didn't."
    assert shapes["DeliveryAttempt"]["properties"]["error"]["description"] == "Why it failed; empty where it didn't."
    next_attempt_at = properties["next_attempt_at"]
    assert (next_attempt_at["type"], next_attempt_at["format"]) == (["string", "null"], "date-time")


def test_replay_sends_the_same_bytes_in_a_fresh_series(api, base, token, endpoint, fake_provider):
    WebhookEndpoint.objects.update(max_retries=1)
    fake_provider.webhook_script = [500, 500, 500, 200]
    [delivery] = post(endpoint)
    drain_due(linger_seconds=0)
    make_due()
    drain_due(linger_seconds=0)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made) == ("failed", 2)
    response = api.post(f"{base}/webhook-deliveries/{delivery.pk}/replay", token=token)
    assert response.status_code == 202
    assert response.json()["data"]["status"] == "pending"
    drain_due(linger_seconds=0)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made) == ("pending", 3)
    make_due()
    drain_due(linger_seconds=0)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made) == ("delivered", 4)
    assert [attempt.number for attempt in delivery.attempts.order_by("number")] == [1, 2, 3, 4]
    assert len({request.body for request in fake_provider.requests_to("webhooks")}) == 1
    assert AuditEntry.objects.filter(action="webhook_delivery.replayed", subject=endpoint.pk).count() == 1


def test_replay_is_refused_while_the_delivery_is_being_sent(api, base, token, endpoint):
    [delivery] = post(endpoint)
    claim_due()
    response = api.post(f"{base}/webhook-deliveries/{delivery.pk}/replay", token=token)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "INVALID_STATE")
    delivery.refresh_from_db()
    assert delivery.fence == 1


def test_result_still_on_its_way_counts_no_longer_after_a_replay(endpoint):
    [delivery] = post(endpoint)
    [claim] = claim_due()
    let_leases_end()
    replay_delivery(delivery, actor="test")
    record_as_late(claim)
    delivery.refresh_from_db()
    assert (delivery.attempts_made, delivery.last_error, delivery.lease_until) == (0, "", None)


def test_delivery_that_was_purged_a_moment_ago_does_not_exist_for_a_replay(endpoint):
    [delivery] = post(endpoint)
    Delivery.objects.filter(pk=delivery.pk).delete()
    with pytest.raises(NotFound):
        replay_delivery(delivery, actor="test")


def test_replay_and_test_are_refused_for_a_disabled_endpoint(api, base, token, endpoint):
    [delivery] = post(endpoint)
    drain_due(linger_seconds=0)
    WebhookEndpoint.objects.update(disabled_at=timezone.now())
    for path in (f"{base}/webhook-deliveries/{delivery.pk}/replay", f"{base}/webhooks/test"):
        response = api.post(path, token=token)
        assert (response.status_code, response.json()["error"]["code"]) == (409, "INVALID_STATE")
    assert Delivery.objects.get().status == "delivered"


def test_test_sends_a_ping_whatever_is_subscribed(api, base, token, endpoint, fake_provider):
    WebhookEndpoint.objects.update(events=["package.submitted"])
    response = api.post(f"{base}/webhooks/test", token=token)
    assert response.status_code == 202
    assert response.json()["data"]["event"] == "platform.ping"
    drain_due(linger_seconds=0)
    [request] = fake_provider.requests_to("webhooks")
    assert request.is_verified
    assert (request.json["type"], request.headers["x-aiffinity-event"]) == ("platform.ping", "platform.ping")
    shown = api.get(f"{base}/webhook-deliveries/{response.json()['data']['id']}", token=token).json()
    assert shown["data"]["status"] == "delivered"


def test_test_without_a_webhook_profile_is_refused(api, base, token, endpoint):
    WebhookEndpoint.objects.all().delete()
    response = api.post(f"{base}/webhooks/test", token=token)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "INVALID_STATE")


def test_another_accounts_deliveries_do_not_exist(api, base, stranger, endpoint):
    [delivery] = post(endpoint)
    missing = api.get("/v1/providers/runtime/apps/app_00000000000000000000000000", token=stranger)
    for method, path in (
        ("GET", "/webhook-deliveries"),
        ("GET", f"/webhook-deliveries/{delivery.pk}"),
        ("POST", f"/webhook-deliveries/{delivery.pk}/replay"),
        ("POST", "/webhooks/test"),
    ):
        response = api(method, base + path, token=stranger)
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "NOT_FOUND"
        assert response.json()["error"]["message"] == missing.json()["error"]["message"]
    delivery.refresh_from_db()
    assert (delivery.fence, Delivery.objects.count()) == (0, 1)


def test_delivery_of_another_app_does_not_exist_below_this_one(api, base, token, endpoint, fake_provider):
    sister = make_endpoint(endpoint.runtime_app.app.account, fake_provider.webhook_url)
    [delivery] = post(sister)
    assert api.get(f"{base}/webhook-deliveries/{delivery.pk}", token=token).status_code == 404
