"""Health checks against a real local provider, and what they change."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from aiffinity.lib.errors import InvalidState
from runtime.health.on_demand import check_health, check_health_if_due
from runtime.models import Event, HealthCheck, RuntimeApp
from tests.fakes import Reply
from tests.runtime.documents import STATE

pytestmark = pytest.mark.django_db


@pytest.fixture
def app(register, fake_provider):
    """A registered app that the fake provider is behind."""
    fake_provider.faulty_routes = {"health"}
    return register(
        runtime_url=fake_provider.runtime_url,
        health_check_url=fake_provider.health_check_url,
        webhook_url="https://acmeweather.com/hooks",
    )


def events_of(app):
    """Return the types of the app's events, oldest first."""
    return list(Event.objects.filter(app_id=app.app_id).order_by("created_at", "id").values_list("type", flat=True))


def test_the_health_answer_checks_on_demand_and_shows_all(app, fake_provider):
    app("POST", "/capabilities", STATE)
    answer = app("GET", "/health").json()["data"]
    assert (answer["status"], answer["connectivity"]) == ("healthy", "reachable")
    assert (answer["uptime_seconds"], answer["uptime_percent_24h"]) == (86400, 100.0)
    assert answer["provider_version"] == "1.2.3"
    assert answer["last_invocation_at"] is None
    handlers = {handler["name"]: handler for handler in answer["handlers"]}
    assert handlers["current_weather"]["health"] == "healthy"
    assert handlers["current_weather"]["capability_id"].startswith("cap_")
    assert handlers["create_task"]["capability_id"] is None
    [check] = answer["last_checks"]
    assert (check["healthy"], check["status_code"], check["error"]) == (True, 200, None)
    assert app("GET", "/health/checks").json()["data"] == [check]
    assert app("GET").json()["data"]["health_status"] == "healthy"


def test_connectivity_says_whether_any_answer_came(app, fake_provider):
    fake_provider.health_status = 503
    answer = app("GET", "/health").json()["data"]
    assert (answer["connectivity"], answer["last_checks"][0]["status_code"]) == ("reachable", 503)
    fake_provider.stop()
    RuntimeApp.objects.update(health_checked_at=timezone.now() - timedelta(seconds=61))
    answer = app("GET", "/health").json()["data"]
    assert (answer["connectivity"], answer["last_checks"][0]["status_code"]) == ("unreachable", None)


def test_checks_are_listed_newest_first_by_pages_for_24_hours(app, fake_provider, stranger, django_assert_num_queries):
    for status in (200, 500, 200, 500):
        fake_provider.health_status = status
        check_health(app.runtime_app)
    oldest = HealthCheck.objects.earliest("pk")
    HealthCheck.objects.filter(pk=oldest.pk).update(checked_at=timezone.now() - timedelta(hours=24, seconds=1))
    with CaptureQueriesContext(connection) as one:
        first = app("GET", "/health/checks?limit=1").json()
    with django_assert_num_queries(len(one)):
        every = app("GET", "/health/checks").json()
    assert [check["status_code"] for check in every["data"]] == [500, 200, 500]
    assert first["data"] == every["data"][:1]
    assert app("GET", "/health/checks?limit=2&offset=1").json()["data"] == every["data"][1:]
    assert first["meta"]["pagination"] == {"total": 3, "limit": 1, "offset": 0, "hasMore": True}
    assert app("GET", "/health/checks?limit=101").status_code == 400
    before = len(fake_provider.requests_to("health"))
    for path in ("/health", "/health/checks"):
        assert app("GET", path, token=stranger).status_code == 404
    assert len(fake_provider.requests_to("health")) == before


def test_a_check_of_the_last_minute_is_not_repeated(app, fake_provider):
    app("GET", "/health")
    app("GET", "/health")
    assert len(fake_provider.requests_to("health")) == 1
    RuntimeApp.objects.update(health_checked_at=timezone.now() - timedelta(seconds=61))
    app("GET", "/health")
    assert len(fake_provider.requests_to("health")) == 2
    app("PATCH", "", {"health_check_url": f"{fake_provider.url}/health?v=2"})
    app("GET", "/health")
    assert len(fake_provider.requests_to("health")) == 3


def test_without_a_health_url_nothing_is_checked(register):
    registered = register(health_check_url="")
    answer = registered("GET", "/health").json()["data"]
    assert (answer["status"], answer["connectivity"], answer["last_checks"]) == ("unknown", "unknown", [])
    assert answer["uptime_percent_24h"] is None
    with pytest.raises(InvalidState):
        check_health(registered.runtime_app)


def test_an_app_that_drops_its_health_url_is_neither_degraded_nor_partly_suspended(app, fake_provider):
    fake_provider.capability_health = {"current_weather": "down"}
    fake_provider.unhealthy = True
    for _ in range(3):
        check_health(app.runtime_app)
    assert (app.runtime_app.health_status, events_of(app)[-1]) == ("degraded", "app.degraded")
    app("PATCH", "", {"health_check_url": f"{fake_provider.url}/health?v=2"})
    assert app("GET").json()["data"]["health_status"] == "degraded"

    assert app("PATCH", "", {"health_check_url": ""}).json()["data"]["health_status"] == "unknown"
    answer = app("GET", "/health").json()["data"]
    assert (answer["status"], answer["consecutive_failures"], answer["health_check_url"]) == ("unknown", 0, "")
    assert (answer["provider_version"], answer["uptime_seconds"], answer["handlers"]) == (None, None, [])
    assert events_of(app)[3:] == ["app.degraded", "app.recovered"]
    app("PATCH", "", {"name": "Acme Weather 2"})
    assert events_of(app)[3:] == ["app.degraded", "app.recovered"]


@pytest.mark.parametrize(
    ("switches", "error"),
    [
        ({"health_status": 503}, "The answer was HTTP 503, not 200."),
        ({"health_status": 204}, "The answer was HTTP 204, not 200."),
        ({"unhealthy": True}, "The answer's status is not 'ok'."),
        (
            {"malformed_json": True},
            "The body is not JSON: Expecting property name enclosed in double quotes at line 1, column 27.",
        ),
    ],
)
def test_whatever_is_not_200_and_ok_is_a_failure(app, fake_provider, switches, error):
    for name, value in switches.items():
        setattr(fake_provider, name, value)
    check = check_health(app.runtime_app)
    assert (check.is_healthy, check.error) == (False, error)
    row = app.runtime_app
    assert (row.consecutive_failures, row.health_status) == (1, "unknown")
    assert events_of(app) == ["capability.failed"]
    body = Event.objects.get().body
    assert '"reason":"health_check_timeout"' in body
    assert '"consecutive_failures":1' in body


def test_three_strikes_degrade_and_the_first_success_restores(app, fake_provider):
    check_health(app.runtime_app)
    fake_provider.stop()
    for _ in range(2):
        check_health(app.runtime_app)
    assert app.runtime_app.health_status == "healthy"
    check_health(app.runtime_app)
    assert app.runtime_app.health_status == "degraded"
    assert events_of(app) == ["capability.failed"] * 3 + ["app.degraded"]
    check_health(app.runtime_app)
    assert events_of(app).count("app.degraded") == 1
    fake_provider.start()
    check_health(app.runtime_app)
    row = app.runtime_app
    assert (row.health_status, row.consecutive_failures) == ("healthy", 0)
    assert events_of(app)[-1] == "app.recovered"
    assert app("GET", "/health").json()["data"]["uptime_percent_24h"] == 33.33


def test_of_a_long_outage_ten_failures_are_told_and_then_one_an_hour(app, fake_provider):
    fake_provider.health_status = 500
    for _ in range(12):
        check_health(app.runtime_app)
    assert events_of(app).count("capability.failed") == 10
    RuntimeApp.objects.update(health_failure_posted_at=timezone.now() - timedelta(minutes=61))
    for _ in range(2):
        check_health(app.runtime_app)
    assert events_of(app).count("capability.failed") == 11
    assert app.runtime_app.consecutive_failures == 14


def test_a_capability_that_is_called_unhealthy_is_seen(app, fake_provider):
    fake_provider.capability_health = {"current_weather": "unhealthy"}
    check_health(app.runtime_app)
    assert app.runtime_app.capability_health["current_weather"] == "unhealthy"
    assert app.runtime_app.health_status == "healthy"


def test_an_unhealthy_capability_is_seen_in_any_crowd(app, fake_provider):
    crowd = {f"part_{number}": "healthy" for number in range(1000)}
    fake_provider.capability_health = {**crowd, "last_one": "down", "a" * 65: "down"}
    assert check_health(app.runtime_app).is_healthy
    seen = app.runtime_app.capability_health
    assert (len(seen), seen["last_one"]) == (200, "down")
    assert not {"a" * 64, "a" * 65} & set(seen)


def test_nonsense_in_a_health_body_is_left_out(app, fake_provider, monkeypatch):
    content = b'{"status": "ok", "version": 7, "uptime_seconds": "long", "capabilities": {"a": 1, "b": "healthy"}}'
    monkeypatch.setattr("tests.fakes.provider_answers.tell_health", lambda _: Reply(200, content))
    assert check_health(app.runtime_app).is_healthy
    row = app.runtime_app
    assert (row.provider_version, row.uptime_seconds, row.capability_health) == ("", None, {"b": "healthy"})


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "The body is not JSON: Expecting value at line 1, column 1."),
        (b"\xff", "The body is not UTF-8."),
        (b'{"status": "down", "status": "ok"}', "The key 'status' stands twice in one object."),
        (b'{"status": "ok", "build": 123456789012345678901}', "An integer in the body is out of the range of 64 bits."),
        (b'[{"status": "ok"}]', "The answer is not a JSON object."),
        (b'{"status": "OK"}', "The answer's status is not 'ok'."),
    ],
)
def test_a_provider_learns_what_is_wrong_with_its_health_body(app, fake_provider, monkeypatch, content, error):
    monkeypatch.setattr("tests.fakes.provider_answers.tell_health", lambda _: Reply(200, content))
    check_health(app.runtime_app)
    assert app("GET", "/health").json()["data"]["last_checks"][0]["error"] == error


@pytest.mark.parametrize("content", [b"{}", b'{"status": "ok", "capabilities": [{"name": "a", "status": "down"}]}'])
def test_a_body_that_names_no_capability_takes_back_what_earlier_ones_said(app, fake_provider, monkeypatch, content):
    fake_provider.capability_health = {"a": "down"}
    check_health(app.runtime_app)
    assert app.runtime_app.capability_health["a"] == "down"
    monkeypatch.setattr("tests.fakes.provider_answers.tell_health", lambda _: Reply(200, content))
    check_health(app.runtime_app)
    row = app.runtime_app
    assert (row.provider_version, row.capability_health) == ("", {})


def test_a_hanging_provider_costs_five_seconds_at_most(app, fake_provider, monkeypatch):
    monkeypatch.setattr("runtime.health.looking.TIMEOUT_MS", 300)
    fake_provider.hang = True
    check = check_health(app.runtime_app)
    assert not check.is_healthy
    assert 290 <= check.latency_ms < 900


@pytest.mark.django_db(transaction=True)
def test_a_result_that_a_newer_check_overtook_changes_nothing(app, fake_provider):
    def look():
        try:
            return check_health(app.runtime_app)
        finally:
            connections.close_all()

    fake_provider.health_status, fake_provider.latency_ms = 500, 500
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(look)
        fake_provider.wait_for(lambda request: request.route == "health")
        fake_provider.health_status, fake_provider.latency_ms = 200, 0
        assert check_health(app.runtime_app).is_healthy
        assert not slow.result().is_healthy
    row = app.runtime_app
    assert (row.health_status, row.consecutive_failures) == ("healthy", 0)
    assert events_of(app) == []
    assert list(HealthCheck.objects.values_list("is_healthy", flat=True)) == [True]


@pytest.mark.django_db(transaction=True)
def test_two_callers_at_once_check_once(app, fake_provider):
    fake_provider.latency_ms = 200

    def look(_):
        try:
            check_health_if_due(app.runtime_app)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(look, range(4)))
    assert len(fake_provider.requests_to("health")) == 1
    assert HealthCheck.objects.count() == 1
