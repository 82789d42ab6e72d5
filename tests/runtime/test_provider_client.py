"""Execute calls to a real local provider: what is sent, what is taken, what is refused."""

import json
import time

import pytest
from django.db import connection
from django.test import override_settings

from aiffinity.lib.crypto import Secret
from aiffinity.lib.errors import UpstreamError, UpstreamInvalidResponse, UpstreamTimeout
from aiffinity.lib.outbound import CircuitBreaker, client
from runtime import provider_client
from runtime.named_secrets import set_named_secret
from runtime.provider_client import ExecuteCall, build_request, execute
from runtime.signing_secrets import set_signing_secret
from tests.fakes import Reply
from tests.fakes.switches import SIGNING_SECRET

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_breaker(monkeypatch):
    monkeypatch.setattr(provider_client, "breaker", CircuitBreaker())


@pytest.fixture
def runtime_app(register, fake_provider):
    """An app whose runtime is the fake provider and whose signing secret it knows."""
    registered = register(runtime_url=fake_provider.runtime_url)
    set_signing_secret(registered.runtime_app, actor="test", value=SIGNING_SECRET)
    return registered.runtime_app


def call_of(runtime_app, **fields):
    """Return a call of the weather, changed by fields."""
    return ExecuteCall(
        **{
            "runtime_app": runtime_app,
            "capability": "current_weather",
            "mode": "state",
            "params": {"location": "Bergen"},
            "user_id": "usr_abc",
            "install_id": "inst_1",
            "locale": "nb-NO",
            "timezone": "Europe/Oslo",
            **fields,
        }
    )


def test_a_call_carries_context_and_signature_and_brings_the_answer(runtime_app, fake_provider):
    set_named_secret(runtime_app, "WEATHER_API_KEY", Secret("wk_live"), actor="test")
    answer = execute(call_of(runtime_app, credentials={"subdomain": Secret("acme")}))
    assert (answer.status, answer.status_code, answer.ttl) == ("ok", 200, 900.0)
    assert answer.data["location"] == "Bergen"
    assert answer.metadata == {"source": "Acme Weather"}
    assert answer.next_cursor is None
    assert answer.latency_ms >= 0
    assert json.loads(answer.body)["status"] == "ok"
    [request] = fake_provider.requests
    assert request.is_verified
    assert request.path == "/aiffinity/capabilities/current_weather/execute"
    assert request.json == {
        "capability": "current_weather",
        "mode": "state",
        "params": {"location": "Bergen"},
        "context": {
            "userId": "usr_abc",
            "installId": "inst_1",
            "locale": "nb-NO",
            "timezone": "Europe/Oslo",
            "secrets": {"WEATHER_API_KEY": "wk_live"},
            "credentials": {"subdomain": "acme"},
        },
    }
    headers = request.headers
    assert headers["content-type"] == "application/json"
    assert headers["x-aiffinity-user-id"] == "usr_abc"
    assert headers["x-aiffinity-request-id"].startswith("req_")
    assert abs(int(headers["x-aiffinity-timestamp"]) - time.time()) < 5
    assert headers["traceparent"].startswith("00-")
    assert not {"authorization", "idempotency-key", "x-aiffinity-environment", "cookie"} & headers.keys()


def test_a_users_connection_travels_as_the_profile_says(runtime_app, fake_provider):
    runtime_app.auth_profile = {"strategy": "api_key", "api_key": {"header_name": "X-Weather-Key"}}
    execute(call_of(runtime_app, api_key=Secret("user-key"), is_sandbox=True))
    execute(call_of(runtime_app, access_token=Secret("user-token")))
    with_key, with_token = fake_provider.requests
    assert with_key.headers["x-weather-key"] == "user-key"
    assert with_key.headers["x-aiffinity-environment"] == "sandbox"
    assert "authorization" not in with_key.headers
    assert with_token.headers["authorization"] == "Bearer user-token"


def test_an_action_is_sent_with_its_key_and_never_again_by_itself(runtime_app, fake_provider):
    call = call_of(
        runtime_app, capability="create_task", mode="action", params={"title": "Pack"}, idempotency_key="key-1"
    )
    first, second = execute(call), execute(call)
    assert first.data == second.data
    assert [request.headers["idempotency-key"] for request in fake_provider.requests] == ["key-1"] * 2
    assert build_request(call, {}).can_resend is False


def test_history_brings_the_next_cursor(runtime_app):
    call = call_of(runtime_app, capability="recent_transactions", mode="history", params={"limit": 2})
    answer = execute(call)
    assert len(answer.data) == 2
    assert answer.next_cursor == answer.data[-1]["id"]


def test_a_providers_own_refusal_is_an_answer(runtime_app):
    unknown = execute(call_of(runtime_app, capability="unknown_thing"))
    assert (unknown.status, unknown.status_code, unknown.error_code) == ("error", 404, "unknown_capability")
    wrong = execute(call_of(runtime_app, params={"location": 7}))
    assert (wrong.error_code, wrong.is_retryable) == ("invalid_params", False)
    assert wrong.error_message == "location: has the wrong type."


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        ({"status": "pending"}, "pending", None),
        ({"status": "error", "error": {"code": "busy", "message": "m", "retryable": True}}, "error", "busy"),
        ({"status": "ok", "data": None, "ttl": 0, "nextCursor": None}, "ok", None),
    ],
)
def test_answers_of_every_status_are_read(runtime_app, fake_provider, content, status, code):
    fake_provider.answers["current_weather"] = lambda _: Reply(200, json.dumps(content).encode())
    answer = execute(call_of(runtime_app))
    assert (answer.status, answer.error_code) == (status, code)
    assert answer.is_retryable is (code == "busy")


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", ""),
        (b"<html>", ""),
        (b"[]", ""),
        (b'{"status": "ok", "data": {}, "data": {}}', ""),
        (b'{"status": "ok", "data": NaN}', ""),
        (b'{"status": "ok", "data": "\\u0000"}', ""),
        (b'{"status": "ok", "data": ' + b"[" * 80 + b"]" * 80 + b"}", ""),
        (b'{"status": "fine", "data": {}}', "status"),
        (b'{"status": ["ok"], "data": {}}', "status"),
        (b'{"data": {}}', "status"),
        (b'{"status": "ok"}', "data"),
        (b'{"status": "ok", "data": {}, "ttl": -1}', "ttl"),
        (b'{"status": "ok", "data": {}, "ttl": "900"}', "ttl"),
        (b'{"status": "ok", "data": {}, "ttl": true}', "ttl"),
        (b'{"status": "ok", "data": {}, "metadata": []}', "metadata"),
        (b'{"status": "ok", "data": [], "nextCursor": 7}', "nextCursor"),
        (b'{"status": "error"}', "error"),
        (b'{"status": "error", "error": {"code": 7}}', "error.code"),
        (b'{"status": "error", "error": {"code": "x", "retryable": "no"}}', "error.retryable"),
    ],
)
def test_an_answer_outside_the_protocol_is_refused(runtime_app, fake_provider, content, field):
    fake_provider.answers["current_weather"] = lambda _: Reply(200, content)
    with pytest.raises(UpstreamInvalidResponse) as refused:
        execute(call_of(runtime_app))
    assert refused.value.details[0].field == field


@pytest.mark.parametrize(
    ("switches", "error", "code"),
    [
        ({"status_code": 500}, UpstreamError, "http_500"),
        ({"status_code": 503}, UpstreamError, "http_503"),
        ({"redirect_to": "https://acmeweather.com"}, UpstreamError, "http_302"),
        ({"drop_connection": True}, UpstreamError, "protocol"),
        ({"oversize": True}, UpstreamInvalidResponse, "too_large"),
        ({"malformed_json": True}, UpstreamInvalidResponse, "not_json"),
        ({"hang": True}, UpstreamTimeout, "timeout"),
        ({"slow_body": True}, UpstreamTimeout, "timeout"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_failing_provider_is_told_apart(runtime_app, fake_provider, switches, error, code):
    for name, value in switches.items():
        setattr(fake_provider, name, value)
    started = time.monotonic()
    with pytest.raises(error) as failed:
        execute(call_of(runtime_app, timeout_ms=400))
    assert failed.value.details[0].code == code
    assert time.monotonic() - started < 0.9


def test_a_bare_4xx_is_an_upstream_error(runtime_app, fake_provider):
    fake_provider.answers["current_weather"] = lambda _: Reply(404, b"not here")
    with pytest.raises(UpstreamError):
        execute(call_of(runtime_app))
    fake_provider.answers["current_weather"] = lambda _: Reply(418, b'{"status": "ok", "data": {}}')
    with pytest.raises(UpstreamError):
        execute(call_of(runtime_app))


def test_a_provider_that_is_down_opens_its_breaker_and_no_others(runtime_app, fake_provider):
    fake_provider.stop()
    for _ in range(5):
        with pytest.raises(UpstreamError) as failed:
            execute(call_of(runtime_app))
        assert failed.value.details[0].code == "connect"
    fake_provider.start()
    with pytest.raises(UpstreamError) as refused:
        execute(call_of(runtime_app))
    assert refused.value.details[0].code == "breaker_open"
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 31
    assert fake_provider.requests == []
    assert execute(call_of(runtime_app, is_sandbox=True)).status == "ok"


def test_secrets_never_leave_over_plain_http_to_a_host_that_is_not_allow_listed(runtime_app, fake_provider):
    set_named_secret(runtime_app, "KEY", Secret("canary"), actor="test")
    with override_settings(EGRESS_ALLOW=[], EGRESS_ALLOW_HTTP=False), pytest.raises(UpstreamError) as refused:
        execute(call_of(runtime_app))
    assert refused.value.details[0].code == "refused"
    assert fake_provider.requests == []


def test_wrong_signatures_and_stale_timestamps_can_be_sent_on_purpose(runtime_app, fake_provider):
    forged = execute(call_of(runtime_app, signature="0" * 64))
    stale = execute(call_of(runtime_app, timestamp=int(time.time()) - 3600))
    assert (forged.error_code, stale.error_code) == ("invalid_signature", "invalid_signature")
    assert [request.signatures["hex"] for request in fake_provider.requests] == [False, True]


def test_nothing_secret_is_in_the_text_of_a_call_or_an_answer(runtime_app):
    call = call_of(runtime_app, access_token=Secret("canary"), params={"location": "canary"})
    assert "canary" not in repr(call)
    assert "canary" not in repr(execute(call))


@pytest.mark.django_db(transaction=True)
def test_a_hanging_call_holds_no_database_connection(runtime_app, fake_provider, monkeypatch):
    held = []
    send = client().request

    def spy(request):
        held.append(connection.connection is not None)
        return send(request)

    monkeypatch.setattr(client(), "request", spy)
    execute(call_of(runtime_app))
    assert held == [False]
