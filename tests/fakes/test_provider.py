"""The fake provider does what its switches say, over real HTTP."""

import base64
import json
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from standardwebhooks.webhooks import Webhook

from examples.acme_weather import signatures
from tests.fakes import FakeProvider, Reply, WebhookStep

USER_ID = "usr_01J8XKWM3N4QR5STVYZ2BCDEFG"
MODES = {"current_weather": "state", "create_task": "action", "recent_transactions": "history"}


@pytest.fixture
def provider():
    with FakeProvider() as running:
        yield running


def execute(
    provider: FakeProvider, name: str = "current_weather", params: Any = None, **options: Any
) -> requests.Response:
    context = {"userId": USER_ID, "secrets": {"WEATHER_API_KEY": "wk_live_abc123def456"}}
    params = {"title": "T"} if name == "create_task" and params is None else params or {}
    mode = MODES.get(name, "state")
    body = json.dumps({"capability": name, "mode": mode, "params": params, "context": context}).encode()
    timestamp = options.pop("timestamp", str(int(time.time())))
    headers = {
        "X-Aiffinity-User-Id": USER_ID,
        "X-Aiffinity-Timestamp": timestamp,
        "X-Aiffinity-Signature": signatures.sign_call(provider.signing_secret, timestamp, body),
        **options.pop("headers", {}),
    }
    url = f"{provider.runtime_url}/capabilities/{name}/execute"
    timeout_seconds = options.pop("timeout", 5)
    return requests.post(url, data=body, headers=headers, timeout=timeout_seconds, allow_redirects=False)


def deliver(provider: FakeProvider, path: str = "", secret: str | None = None) -> requests.Response:
    body, now = b'{"id": "evt_1", "type": "platform.ping"}', datetime.now(UTC)
    secret = secret or provider.signing_secret
    headers = {
        provider.signature_header: signatures.sign_body(secret, body),
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("evt_1", now, body.decode()),
    }
    return requests.post(provider.webhook_url + path, data=body, headers=headers, timeout=5)


def test_without_a_fault_it_is_a_good_provider(provider):
    response = execute(provider)
    assert (response.status_code, response.json()["ttl"]) == (200, 900)
    signature, timestamp = (
        response.headers["X-Aiffinity-Signature"],
        response.headers["X-Aiffinity-Timestamp"],
    )
    assert signatures.is_call_signed(provider.signing_secret, timestamp, signature, response.content)
    assert requests.get(provider.health_check_url, timeout=5).json()["status"] == "ok"
    assert execute(provider, "no_such_thing").status_code == 404
    assert [request.route for request in provider.requests] == ["execute", "health", "execute"]
    assert provider.requests_to("execute")[0].is_verified


def test_faults_of_the_answer_come_and_go_while_it_runs(provider):
    provider.status_code, provider.headers = 429, {"Retry-After": "7"}
    response = execute(provider)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
    assert response.json()["error"]["retryable"] is True
    provider.reset()

    provider.malformed_json = True
    with pytest.raises(requests.JSONDecodeError):
        execute(provider).json()
    provider.reset()

    provider.oversize = True
    assert len(execute(provider).content) > 2 * 1024 * 1024
    provider.reset()

    provider.redirect_to = "http://169.254.169.254/"
    response = execute(provider)
    assert (response.status_code, response.headers["Location"]) == (302, "http://169.254.169.254/")
    provider.reset()

    provider.ttl = 5
    assert execute(provider).json()["ttl"] == 5
    provider.wrong_schema = True
    assert execute(provider).json()["data"] == "not what the schema says"
    assert execute(provider, "recent_transactions").json()["data"] == ["not what the schema says"]
    provider.reset()

    provider.echo_secrets = True
    assert "wk_live_abc123def456" in execute(provider).text
    provider.reset()
    assert execute(provider).json()["status"] == "ok"
    assert len(provider.requests) == 1


def test_faults_of_the_connection(provider):
    provider.drop_connection = True
    with pytest.raises(requests.ConnectionError):
        execute(provider)
    provider.reset()

    provider.latency_ms = 200
    started_at = time.perf_counter()
    assert execute(provider).status_code == 200
    assert 0.2 <= time.perf_counter() - started_at < 1
    provider.reset()

    provider.hang = True
    with pytest.raises(requests.ReadTimeout):
        execute(provider, timeout=0.2)
    provider.reset()

    provider.slow_body, provider.slow_body_interval_ms = True, 5
    started_at = time.perf_counter()
    assert execute(provider).json()["status"] == "ok"
    assert time.perf_counter() - started_at > 0.5


def test_a_hanging_call_ends_when_the_switch_is_turned_off(provider):
    provider.hang = True
    failed: list[Exception] = []

    def call() -> None:
        try:
            execute(provider)
        except requests.ConnectionError as error:
            failed.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    provider.wait_for(lambda request: request.route == "execute")
    provider.hang = False
    thread.join(5)
    assert len(failed) == 1
    assert execute(provider).status_code == 200


def test_signatures_are_demanded_unless_switched_off(provider):
    forged = {"X-Aiffinity-Signature": "0" * 64}
    assert execute(provider, headers=forged).json()["error"]["code"] == "invalid_signature"
    assert execute(provider, timestamp="1700000000").status_code == 401
    provider.accept_bad_signatures = True
    assert execute(provider, headers=forged).status_code == 200
    assert execute(provider, timestamp="1700000000").status_code == 401
    provider.accept_stale_timestamps = True
    assert execute(provider, timestamp="1700000000").status_code == 200
    assert [request.is_verified for request in provider.requests] == [False] * 5


def test_an_action_acts_once_for_a_key_unless_switched_to_act_twice(provider):
    def create() -> str:
        answer = execute(provider, "create_task", headers={"Idempotency-Key": "one"}).json()
        return str(answer["data"]["task_id"])

    assert create() == create()
    assert provider.store.count_tasks() == 1
    provider.act_twice = True
    assert len({create(), create()}) == 2
    assert provider.store.count_tasks() == 3


def test_bad_params_and_unknown_capabilities_can_be_accepted(provider):
    assert execute(provider, params={"location": 5}).status_code == 400
    provider.accept_bad_params = provider.accept_unknown_capabilities = True
    assert execute(provider, params={"location": 5}).json()["data"]["location"] == "Oslo"
    assert execute(provider, params="Oslo").status_code == 200
    assert execute(provider, "create_task", {"title": 5}).status_code == 200
    assert execute(provider, "no_such_thing").json()["status"] == "ok"


def test_answers_can_be_scripted_by_capability(provider):
    provider.answers = {
        "exchange_rate": {"data": {"rate": 11.5}, "ttl": 60},
        "current_weather": lambda call: {"data": {"location": call.params["location"]}},
        "recent_transactions": lambda _: Reply(200, b"[]", {"X-Odd": "yes"}),
    }
    assert execute(provider, "exchange_rate").json() == {
        "status": "ok",
        "data": {"rate": 11.5},
        "ttl": 60,
        "metadata": {},
    }
    assert execute(provider, params={"location": "Voss"}).json()["data"] == {"location": "Voss"}
    assert execute(provider, "recent_transactions").headers["X-Odd"] == "yes"


def test_health_can_be_bad_in_every_way(provider):
    provider.unhealthy, provider.capability_health = True, {"create_task": "unhealthy"}
    health = requests.get(provider.health_check_url, timeout=5).json()
    assert (health["status"], health["capabilities"]["create_task"]) == ("unhealthy", "unhealthy")
    assert health["capabilities"]["current_weather"] == "healthy"
    provider.health_status = 503
    assert requests.get(provider.health_check_url, timeout=5).status_code == 503
    provider.faulty_routes, provider.hang = {"health"}, True
    with pytest.raises(requests.ReadTimeout):
        requests.get(provider.health_check_url, timeout=0.2)
    assert execute(provider).status_code == 200


def test_the_webhook_sink_follows_its_script_and_verifies(provider):
    provider.webhook_script = [500, WebhookStep(503, delay_ms=50, headers={"Retry-After": "2"})]
    assert [deliver(provider).status_code for _ in range(3)] == [500, 503, 200]
    deliveries = provider.wait_for_count(3, lambda request: request.route == "webhooks")
    assert [delivery.signatures for delivery in deliveries] == [{"hex": True, "standard_webhooks": True}] * 3
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    assert deliver(provider, secret=other).status_code == 401
    provider.secrets_by_path = {"/webhooks/other": other}
    assert deliver(provider, "/other", secret=other).status_code == 200
    provider.accept_bad_signatures = True
    assert deliver(provider, secret=other).status_code == 200
    assert not provider.requests[-1].is_verified
    assert provider.requests[-1].json["id"] == "evt_1"


def test_waiting_in_vain_tells_what_came(provider):
    requests.get(f"{provider.url}/nowhere", timeout=5)
    with pytest.raises(TimeoutError, match=r"0 of 1 requests in 0.05 s; the last ones: \['GET /nowhere'\]"):
        provider.wait_for(lambda request: request.route == "webhooks", timeout=0.05)


def test_a_stopped_provider_is_down_and_comes_back_at_the_same_address(provider):
    with requests.Session() as session:
        address = provider.health_check_url
        assert session.get(address, timeout=5).status_code == 200
        provider.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(address, timeout=5)
        provider.start()
        assert provider.health_check_url == address
        assert session.get(address, timeout=5).status_code == 200
