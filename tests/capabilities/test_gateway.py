"""The gateway over HTTP, with a real provider: params, contracts, records, parallel calls."""

import threading
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.db import connection

from capabilities.models import CachedState, Invocation
from capabilities.recording import recorder
from runtime.models import Event, RuntimeApp
from tests.capabilities.conftest import Installed
from tests.fakes import FakeProvider
from tests.parallel import in_parallel
from tests.published import Published

OSLO = {"location": "Oslo"}


def codes_of(response: Any) -> list[str]:
    """Return the codes of an error's details."""
    return [detail["code"] for detail in response.json()["error"]["details"]]


def held_connections(pool: Any) -> int:
    """Return how many connections are out of the pool."""
    stats = pool.get_stats()
    return int(stats["pool_size"] - stats["pool_available"])


def test_invoking_a_state_answers_the_providers_data(installed: Installed, fake_provider: FakeProvider) -> None:
    response = installed.invoke(OSLO)
    assert response.status_code == 200
    answer = response.json()["data"]
    assert answer["data"]["location"] == "Oslo"
    assert answer["invocation_id"].startswith("inv_")
    assert (answer["status"], answer["ttl"], answer["cached"], answer["stale"]) == ("ok", 900, False, False)
    assert answer["next_cursor"] is None
    assert answer["fetched_at"] < answer["expires_at"]
    [request] = fake_provider.requests_to("execute")
    assert request.json["params"] == OSLO
    assert request.json["context"]["installId"] == installed.install.pk
    assert request.headers["x-aiffinity-user-id"].startswith("usr_")
    assert installed.user.pk not in orjson.dumps(request.headers).decode()


def test_params_are_judged_before_the_provider_is_called(installed: Installed, fake_provider: FakeProvider) -> None:
    response = installed.invoke({"location": 5, "colour": "red"})
    assert response.status_code == 400
    fields = {detail["field"] for detail in response.json()["error"]["details"]}
    assert fields == {"params.location", "params.colour"}
    assert fake_provider.requests == []
    assert Invocation.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"params": []}, "params"),
        ({"params": None}, "params"),
        ({"parms": {}}, "parms"),
        ({"install_id": 5}, "install_id"),
        ({"context": {"timezone": "Mars/Base"}}, "context.timezone"),
        ({"context": {"locale": "norwegian bokmål"}}, "context.locale"),
        ([], ""),
    ],
)
def test_a_body_of_wrong_shape_is_named(installed: Installed, api: Any, body: Any, field: str) -> None:
    response = api.post(installed.path("invoke"), body, token=installed.token)
    assert response.status_code == 400
    assert [detail["field"] for detail in response.json()["error"]["details"]] == [field]


def test_the_context_reaches_the_provider(installed: Installed, api: Any, fake_provider: FakeProvider) -> None:
    body = {"context": {"locale": "nb-NO", "timezone": "Europe/Oslo"}}
    assert api.post(installed.path("invoke"), body, token=installed.token).status_code == 200
    context = fake_provider.requests_to("execute")[0].json["context"]
    assert (context["locale"], context["timezone"]) == ("nb-NO", "Europe/Oslo")


@pytest.mark.parametrize(
    ("switches", "status", "code"),
    [
        ({"wrong_schema": True}, 502, "UPSTREAM_INVALID_RESPONSE"),
        ({"malformed_json": True}, 502, "UPSTREAM_INVALID_RESPONSE"),
        ({"status_code": 500}, 502, "UPSTREAM_ERROR"),
        ({"drop_connection": True}, 502, "UPSTREAM_ERROR"),
        ({"hang": True}, 504, "UPSTREAM_TIMEOUT"),
    ],
)
def test_a_failing_provider_is_recorded(
    installed: Installed, fake_provider: FakeProvider, settings: Any, switches: dict[str, Any], status: int, code: str
) -> None:
    settings.EXECUTE_TIMEOUT_MS = 300
    vars(fake_provider).update(switches)
    response = installed.invoke(OSLO)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    recorder.flush()
    row = Invocation.objects.get()
    assert (row.status, row.error_code, row.is_cached) == ("error", code, False)
    assert CachedState.objects.count() == 0


def test_a_lie_is_named_by_its_path(installed: Installed, fake_provider: FakeProvider) -> None:
    fake_provider.answers["current_weather"] = {"data": {"location": "Oslo", "temperature_c": "warm"}}
    details = installed.invoke(OSLO).json()["error"]["details"]
    assert {detail["field"] for detail in details} == {"data.temperature_c", "data.condition"}


def test_a_refusal_of_the_provider_is_an_upstream_error(installed: Installed, fake_provider: FakeProvider) -> None:
    error = {"code": "no_station", "message": "No station there.", "retryable": False}
    fake_provider.answers["current_weather"] = {"status": "error", "error": error}
    response = installed.invoke(OSLO)
    assert response.status_code == 502
    assert codes_of(response) == ["no_station"]
    recorder.flush()
    assert Invocation.objects.get().error_message == "The provider refused the call."


def test_history_answers_a_page_with_its_cursor(installed: Installed, fake_provider: FakeProvider) -> None:
    first = installed.invoke({"limit": 2}, "recent_transactions").json()["data"]
    assert [item["id"] for item in first["data"]] == ["txn_0120", "txn_0119"]
    assert (first["next_cursor"], first["ttl"], first["expires_at"]) == ("txn_0119", None, None)
    more = installed.invoke({"limit": 2, "cursor": "txn_0119"}, "recent_transactions").json()["data"]
    assert [item["id"] for item in more["data"]] == ["txn_0118", "txn_0117"]
    assert len(fake_provider.requests_to("execute")) == 2


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": 51}, "params.limit"),
        ({"limit": 0}, "params.limit"),
        ({"limit": True}, "params.limit"),
        ({"limit": "2"}, "params.limit"),
        ({"cursor": 5}, "params.cursor"),
        ({"cursor": "a b"}, "params.cursor"),
        ({"cursor": "x" * 513}, "params.cursor"),
        ({"cursor": ""}, "params.cursor"),
    ],
)
def test_a_hostile_page_is_refused(
    installed: Installed, fake_provider: FakeProvider, params: dict[str, Any], field: str
) -> None:
    response = installed.invoke(params, "recent_transactions")
    assert response.status_code == 400
    assert response.json()["error"]["details"][0]["field"] == field
    assert fake_provider.requests == []


def test_an_action_is_not_invoked(installed: Installed) -> None:
    response = installed.invoke({"title": "x"}, "create_task")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "INVALID_STATE")


def test_calls_leave_records_and_events(
    publish: Callable[..., Published], install: Callable[..., Installed], fake_provider: FakeProvider
) -> None:
    published = publish(runtime_url=fake_provider.runtime_url, webhook_url=fake_provider.webhook_url)
    installed = install(published)
    asked = installed.invoke(OSLO).json()["data"]
    cached = installed.invoke(OSLO).json()["data"]
    fake_provider.status_code = 500
    assert installed.invoke({"location": "Bergen"}).status_code == 502
    recorder.flush()
    rows = list(Invocation.objects.order_by("created_at"))
    assert [row.pk for row in rows[:2]] == [asked["invocation_id"], cached["invocation_id"]]
    assert [(row.status, row.is_cached) for row in rows] == [("ok", False), ("ok", True), ("error", False)]
    events = Event.objects.filter(type__startswith="capability.").order_by("created_at", "pk")
    bodies = [orjson.loads(event.body) for event in events]
    assert [body["type"] for body in bodies] == ["capability.invoked", "capability.failed"]
    assert bodies[0]["data"] == {
        "capability_id": published.capability_id(),
        "capability": "current_weather",
        "invocation_id": asked["invocation_id"],
        "install_id": installed.install.pk,
        "user_id": rows[0].user_id,
        "status": "ok",
        "latency_ms": rows[0].latency_ms,
    }
    assert bodies[1]["data"]["reason"] == "upstream_error"
    runtime_app = RuntimeApp.objects.get(pk=published.app.pk)
    assert runtime_app.last_invocation_at == rows[2].created_at


@pytest.mark.django_db(transaction=True)
def test_equal_calls_at_once_make_one_call_to_the_provider(installed: Installed, fake_provider: FakeProvider) -> None:
    fake_provider.latency_ms = 200
    answers = in_parallel(8, lambda: installed.invoke(OSLO).json()["data"])
    assert len(fake_provider.requests_to("execute")) == 1
    assert [answer["cached"] for answer in answers].count(False) == 1
    assert len({answer["invocation_id"] for answer in answers}) == 8
    recorder.flush()
    assert Invocation.objects.count() == 8


@pytest.mark.django_db(transaction=True)
def test_the_bulkhead_turns_the_next_call_away(
    installed: Installed, fake_provider: FakeProvider, settings: Any
) -> None:
    settings.EXECUTE_MAX_IN_FLIGHT = 1
    fake_provider.latency_ms = 400
    slow = threading.Thread(target=installed.invoke, args=({"location": "Bergen"},))
    slow.start()
    fake_provider.wait_for(lambda request: request.route == "execute")
    refused = installed.invoke(OSLO)
    slow.join()
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert refused.headers["Retry-After"] == "1"
    fake_provider.latency_ms = 0
    assert installed.invoke(OSLO).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_an_equal_call_takes_a_seat_too(
    installed: Installed, fake_provider: FakeProvider, settings: Any
) -> None:
    settings.EXECUTE_MAX_IN_FLIGHT = 2
    fake_provider.latency_ms = 300
    statuses = in_parallel(6, lambda: installed.invoke(OSLO).status_code)
    assert sorted(statuses) == [200, 200, 503, 503, 503, 503]
    assert len(fake_provider.requests_to("execute")) == 1


@pytest.mark.django_db(transaction=True)
def test_no_database_connection_is_held_during_a_call(installed: Installed, fake_provider: FakeProvider) -> None:
    fake_provider.latency_ms = 400
    pool = connection.pool  # type: ignore[attr-defined]
    connection.close()
    held_before = held_connections(pool)
    slow = threading.Thread(target=installed.invoke, args=(OSLO,))
    slow.start()
    fake_provider.wait_for(lambda request: request.route == "execute")
    held_during = held_connections(pool)
    slow.join()
    assert held_during == held_before
