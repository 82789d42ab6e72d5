"""A provider that lies (502), hangs (504) or is down (502), over every way to call it: a clear error, and a record."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from capabilities.models import CachedState, Invocation
from capabilities.recording import recorder
from examples.acme_weather.capabilities import Call
from tests.capabilities.conftest import Installed
from tests.fakes import FakeProvider, Reply

DEADLINE_MS = 300
CALLS = {
    "state": ("invoke", "current_weather", {"params": {"location": "Oslo"}}),
    "history": ("invoke", "recent_transactions", {"params": {"limit": 2}}),
    "action": ("action", "create_task", {"params": {"title": "Take an umbrella"}, "confirmed": True}),
}
CANARY = "only-the-provider-says-this"
LIES: dict[str, dict[str, Any]] = {
    "malformed": {"malformed_json": True},
    "wrong schema": {"wrong_schema": True},
    "too large": {"oversize": True},
}
DOWN: dict[str, dict[str, Any]] = {
    "dropped": {"drop_connection": True},
    "500": {"status_code": 500},
    "503": {"status_code": 503},
    "429": {"status_code": 429},
    "redirect": {"redirect_to": "http://169.254.169.254/latest/meta-data/"},
}
HANGING: dict[str, dict[str, Any]] = {
    "hang": {"hang": True},
    "drip": {"slow_body": True, "slow_body_interval_ms": 50},
}
FAULTS = [
    *((name, switches, 502, "UPSTREAM_INVALID_RESPONSE") for name, switches in LIES.items()),
    *((name, switches, 502, "UPSTREAM_ERROR") for name, switches in DOWN.items()),
    *((name, switches, 504, "UPSTREAM_TIMEOUT") for name, switches in HANGING.items()),
]
BODIES = [
    b"",
    b"null",
    b"[]",
    b'"ok"',
    b"<html></html>",
    b"\xff\xfe",
    b'{"status": "ok"}',
    b'{"status": "maybe", "data": {}}',
    b'{"status": 5, "data": {}}',
    b'{"status": "ok", "status": "ok", "data": {}}',
    b'{"status": "ok", "data": NaN}',
    b'{"status": "ok", "data": {"a": "\\u0000"}}',
    b'{"status": "ok", "data": {"a": "\\ud800"}}',
    b'{"status": "ok", "data": ' + b"[" * 70 + b"]" * 70 + b"}",
    b'{"status": "ok", "data": {}, "ttl": "soon"}',
    b'{"status": "ok", "data": {}, "ttl": -1}',
    b'{"status": "ok", "data": {}, "metadata": []}',
    b'{"status": "ok", "data": {}, "nextCursor": 5}',
    b'{"status": "error"}',
    b'{"status": "error", "error": "no"}',
    b'{"status": "error", "error": {"code": 5}}',
]


def call(installed: Installed, way: str) -> Any:
    """Call the provider in one of the three ways."""
    verb, name, body = CALLS[way]
    return installed.api.post(installed.path(verb, name), body, token=installed.token)


def answer_with(reply: Reply, _: Call) -> Reply:
    """Answer a call."""
    return reply


def check_failed(response: Any, status: int, code: str) -> dict[str, Any]:
    """Check the error's envelope, that the call is on record with it, and that no answer was kept; return the error."""
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/json"), response.content
    error: dict[str, Any] = response.json()["error"]
    assert error["code"] == code
    assert error["message"]
    recorder.flush()
    row = Invocation.objects.latest("created_at")
    assert (row.status, row.error_code) == ("error", code)
    assert CachedState.objects.count() == 0
    return error


@pytest.mark.parametrize(("name", "switches", "status", "code"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_faulty_provider_costs_one_clear_error_in_time(
    installed: Installed,
    fake_provider: FakeProvider,
    settings: Any,
    name: str,
    switches: dict[str, Any],
    status: int,
    code: str,
) -> None:
    settings.EXECUTE_TIMEOUT_MS = DEADLINE_MS if name in HANGING else 5000
    vars(fake_provider).update(switches)
    for way in CALLS:
        began_at = time.monotonic()
        response = call(installed, way)
        assert time.monotonic() - began_at < 3, way
        check_failed(response, status, code)
    assert {request.route for request in fake_provider.requests} == {"execute"}


@pytest.mark.parametrize("way", CALLS)
def test_a_provider_that_is_down_is_an_upstream_error(
    installed: Installed, fake_provider: FakeProvider, way: str
) -> None:
    fake_provider.stop()
    check_failed(call(installed, way), 502, "UPSTREAM_ERROR")
    fake_provider.start()
    assert call(installed, way).status_code == 200


@pytest.mark.parametrize("way", CALLS)
def test_every_lie_about_the_protocol_is_an_invalid_response(
    installed: Installed, fake_provider: FakeProvider, way: str
) -> None:
    for body in BODIES:
        fake_provider.answers[CALLS[way][1]] = partial(answer_with, Reply(200, body))
        error = check_failed(call(installed, way), 502, "UPSTREAM_INVALID_RESPONSE")
        assert error["details"], body


def test_what_a_broken_answer_says_is_not_passed_on(installed: Installed, fake_provider: FakeProvider) -> None:
    for status in (200, 404, 500):
        reply = Reply(status, f"<h1>{CANARY}</h1>".encode(), {"X-Odd": CANARY})
        fake_provider.answers["current_weather"] = partial(answer_with, reply)
        response = call(installed, "state")
        assert response.status_code == 502
        assert CANARY not in response.content.decode() + str(response.headers)


def test_a_secret_in_a_providers_error_is_taken_out(
    installed: Installed, fake_provider: FakeProvider, id_token: Callable[..., str]
) -> None:
    secret = "wk-live-canary-abc123def456"
    path = f"/v1/providers/runtime/apps/{installed.published.app.pk}/secrets/WEATHER_KEY"
    stored = installed.api.put(path, {"value": secret}, token=id_token(installed.published.account))
    assert stored.status_code == 201
    error = {"code": "bad_key", "message": f"The key {secret} has expired.", "retryable": False}
    fake_provider.answers["current_weather"] = {"status": "error", "error": error}
    answered = check_failed(call(installed, "state"), 502, "UPSTREAM_ERROR")
    assert answered["details"][0]["message"] == "The key [redacted] has expired."
    assert secret not in str(answered)
    assert secret not in Invocation.objects.get().error_message
