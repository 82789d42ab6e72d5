"""The gateway over HTTP, with a real provider: order of checks, cache, stale answers, records."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import connection
from django.utils import timezone

from capabilities.models import CachedState, Invocation
from capabilities.recording import recorder
from providers.models import Account, App
from runtime.models import Event, RuntimeApp
from tests.capabilities.conftest import Installed
from tests.fakes import FakeProvider
from tests.parallel import in_parallel
from tests.published import Published

OSLO = {"location": "Oslo"}


def codes_of(response: Any) -> list[str]:
    """Return the codes of an error's details."""
    return [detail["code"] for detail in response.json()["error"]["details"]]


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


def test_a_fresh_answer_comes_from_the_cache(installed: Installed, fake_provider: FakeProvider) -> None:
    first = installed.invoke(OSLO).json()["data"]
    second = installed.invoke(OSLO).json()["data"]
    assert second["cached"] is True
    assert second["data"] == first["data"]
    assert second["invocation_id"] != first["invocation_id"]
    assert len(fake_provider.requests_to("execute")) == 1
    assert installed.invoke({"location": "Bergen"}).json()["data"]["cached"] is False
    assert len(fake_provider.requests_to("execute")) == 2


def test_no_cache_asks_the_provider_again(installed: Installed, fake_provider: FakeProvider) -> None:
    installed.invoke(OSLO)
    again = installed.invoke(OSLO, headers={"Cache-Control": "no-cache"}).json()["data"]
    assert again["cached"] is False
    assert len(fake_provider.requests_to("execute")) == 2


def test_users_never_share_a_cached_answer(
    installed: Installed, install: Callable[..., Installed], fake_provider: FakeProvider
) -> None:
    installed.invoke(OSLO)
    other = install(installed.published)
    assert other.invoke(OSLO).json()["data"]["cached"] is False
    users = {request.headers["x-aiffinity-user-id"] for request in fake_provider.requests_to("execute")}
    assert len(users) == 2


@pytest.mark.parametrize(("ttl", "kept"), [(0, 5), (60, 60), (1_000_000, 1800)])
def test_a_ttl_is_bounded(installed: Installed, fake_provider: FakeProvider, ttl: int, kept: int) -> None:
    fake_provider.ttl = ttl
    assert installed.invoke(OSLO).json()["data"]["ttl"] == kept


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
    ("change", "code"),
    [
        (lambda it: it.set_version(state="suspended"), "version_suspended"),
        (lambda it: it.set_version(state="draft"), "version_not_listed"),
        (lambda it: it.set_package(suspended_at=timezone.now()), "package_suspended"),
        (lambda it: it.set_runtime(status="paused"), "app_paused"),
        (lambda it: it.set_runtime(status="suspended"), "app_suspended"),
        (lambda it: it.set_runtime(health_status="degraded"), "app_degraded"),
        (lambda it: it.set_runtime(capability_health={"current_weather": "unhealthy"}), "capability_unhealthy"),
        (lambda it: it.set_runtime(config_hash="0" * 64), "approval_stale"),
        (lambda it: App.objects.filter(pk=it.app.pk).update(deleted_at=timezone.now()), "app_deleted"),
        (
            lambda it: Account.objects.filter(pk=it.account.pk).update(suspended_at=timezone.now()),
            "account_suspended",
        ),
    ],
)
def test_what_is_suspended_is_refused_at_once(
    installed: Installed, fake_provider: FakeProvider, change: Callable[[Published], Any], code: str
) -> None:
    installed.invoke(OSLO)
    change(installed.published)
    for response in (installed.invoke(OSLO), installed.api.get(installed.path("state"), token=installed.token)):
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "CAPABILITY_SUSPENDED"
        assert codes_of(response) == [code]
    assert len(fake_provider.requests_to("execute")) == 1


def test_a_superseded_version_runs_on(installed: Installed) -> None:
    installed.published.set_version(state="superseded")
    assert installed.invoke(OSLO).status_code == 200


def test_another_capabilitys_bad_health_stops_only_that_one(installed: Installed) -> None:
    installed.published.set_runtime(capability_health={"create_task": "unhealthy", "current_weather": "healthy"})
    assert installed.invoke(OSLO).status_code == 200


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


def test_a_stale_answer_stands_in_while_the_provider_fails(installed: Installed, fake_provider: FakeProvider) -> None:
    good = installed.invoke(OSLO).json()["data"]
    CachedState.objects.update(expires_at=timezone.now())
    fake_provider.wrong_schema = True
    answer = installed.invoke(OSLO).json()["data"]
    assert (answer["stale"], answer["cached"], answer["data"]) == (True, True, good["data"])
    recorder.flush()
    assert Invocation.objects.get(pk=answer["invocation_id"]).error_code == "UPSTREAM_INVALID_RESPONSE"
    assert CachedState.objects.get().data == good["data"]


def test_a_day_old_answer_does_not_stand_in(installed: Installed, fake_provider: FakeProvider) -> None:
    installed.invoke(OSLO)
    day_ago = timezone.now() - timedelta(hours=24)
    CachedState.objects.update(fetched_at=day_ago, expires_at=day_ago)
    fake_provider.stop()
    assert installed.invoke(OSLO).status_code == 502


def test_a_pending_answer_is_passed_on_and_not_kept(installed: Installed, fake_provider: FakeProvider) -> None:
    fake_provider.answers["current_weather"] = {"status": "pending", "data": None}
    assert installed.invoke(OSLO).json()["data"]["status"] == "pending"
    assert CachedState.objects.count() == 0


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


def test_the_state_is_read_without_a_call(installed: Installed, api: Any, fake_provider: FakeProvider) -> None:
    assert api.get(installed.path("state"), token=installed.token).status_code == 404
    invoked = installed.invoke(OSLO).json()["data"]
    state = api.get(installed.path("state"), token=installed.token).json()["data"]
    assert state["invocation_id"] == invoked["invocation_id"]
    assert (state["data"], state["ttl"]) == (invoked["data"], 900)
    assert (state["cached"], state["stale"]) == (True, False)
    CachedState.objects.update(expires_at=timezone.now())
    assert api.get(installed.path("state"), token=installed.token).json()["data"]["stale"] is True
    assert len(fake_provider.requests_to("execute")) == 1
    wrong_mode = api.get(installed.path("state", "create_task"), token=installed.token)
    assert wrong_mode.status_code == 409


def test_an_app_with_an_auth_profile_needs_a_connection(installed: Installed) -> None:
    installed.published.set_runtime(auth_profile={"strategy": "api_key", "api_key": {"header_name": "X-Api-Key"}})
    response = installed.invoke(OSLO)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "CONNECTION_REQUIRED")


def test_an_app_names_an_install_of_its_own_account(
    installed: Installed, api: Any, access_token: Callable[..., str], make_account: Any, make_app: Any
) -> None:
    token = access_token(installed.published.app)
    path, body = installed.path("invoke"), {"params": OSLO, "install_id": installed.install.pk}
    assert api.post(path, body, token=token).status_code == 200
    unnamed = api.post(path, {"params": OSLO}, token=token)
    assert unnamed.status_code == 400
    assert unnamed.json()["error"]["details"][0]["field"] == "install_id"
    stranger = access_token(make_app(make_account("Other Company")))
    assert api.post(path, body, token=stranger).status_code == 404
    assert api.post(path, {"params": OSLO}, token=stranger).status_code == 404


def test_foreign_and_malformed_ids_are_not_found(
    installed: Installed, install: Callable[..., Installed], api: Any, id_token: Any, make_user: Any
) -> None:
    stranger = id_token(make_user())
    assert api.post(installed.path("invoke"), {}, token=stranger).status_code == 404
    other = install(installed.published)
    body = {"install_id": other.install.pk}
    assert api.post(installed.path("invoke"), body, token=installed.token).status_code == 404
    assert api.post(installed.path("invoke"), {"install_id": "inst_x"}, token=installed.token).status_code == 404
    for capability_id in ("cap_01J8XKWM3N4QR5STVYZ2BCDEFG", "nonsense", "cap%00"):
        path = f"/v1/providers/capabilities/{capability_id}"
        assert api.post(f"{path}/invoke", {}, token=installed.token).status_code == 404
        assert api.get(f"{path}/state", token=installed.token).status_code == 404
        assert api.get(f"{path}/history", token=installed.token).status_code == 404


def test_without_a_token_nobody_calls(installed: Installed, api: Any) -> None:
    for verb in ("invoke", "action"):
        assert api.post(installed.path(verb), {}).status_code == 401
    for verb in ("state", "history"):
        assert api.get(installed.path(verb)).status_code == 401


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
def test_no_database_connection_is_held_during_a_call(installed: Installed, fake_provider: FakeProvider) -> None:
    fake_provider.latency_ms = 400
    slow = threading.Thread(target=installed.invoke, args=(OSLO,))
    slow.start()
    fake_provider.wait_for(lambda request: request.route == "execute")
    pool = connection.pool
    connection.close()
    stats = pool.get_stats()
    slow.join()
    assert stats["pool_available"] == stats["pool_size"]


@pytest.mark.django_db(transaction=True)
def test_an_answer_after_uninstalling_brings_no_state_back(
    installed: Installed, fake_provider: FakeProvider, api: Any
) -> None:
    fake_provider.latency_ms = 300
    slow = threading.Thread(target=installed.invoke, args=(OSLO,))
    slow.start()
    fake_provider.wait_for(lambda request: request.route == "execute")
    path = f"/v1/providers/packages/{installed.published.package.pk}/install"
    assert api.delete(path, token=installed.token).status_code == 200
    slow.join()
    assert CachedState.objects.count() == 0


def test_a_cached_answer_takes_few_queries(installed: Installed, django_assert_max_num_queries: Any) -> None:
    installed.invoke(OSLO)
    with django_assert_max_num_queries(9):
        assert installed.invoke(OSLO).json()["data"]["cached"] is True
