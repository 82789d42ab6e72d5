"""Acme Weather as its own process, spoken to over HTTP as the platform does."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests
from standardwebhooks.webhooks import Webhook

from examples.acme_weather import signatures

ROOT = Path(__file__).resolve().parents[2]
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
USER_ID = "usr_01J8XKWM3N4QR5STVYZ2BCDEFG"
MODES = {
    "current_weather": "state",
    "create_task": "action",
    "recent_transactions": "history",
    "my_stations": "state",
}
WEATHER_SCHEMA = {
    "type": "object",
    "properties": {
        "location": {"type": "string"},
        "temperature_c": {"type": "number"},
        "condition": {"type": "string", "enum": ["sunny", "cloudy", "rainy", "snowy", "windy", "stormy"]},
        "humidity_pct": {"type": "number", "minimum": 0, "maximum": 100},
    },
    "required": ["location", "temperature_c", "condition"],
}


@contextmanager
def running_acme(*options: str, secret: str = SECRET) -> Iterator[str]:
    command = [sys.executable, "-m", "examples.acme_weather", *options]
    environment = {**os.environ, "ACME_SIGNING_SECRET": secret}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()
            assert process.wait(timeout=10) == 0


@pytest.fixture(scope="module")
def acme() -> Iterator[str]:
    with running_acme() as url:
        yield url


def execute(
    url: str,
    name: str,
    params: Any = None,
    *,
    secret: str = SECRET,
    headers: dict[str, str] | None = None,
    age_seconds: int = 0,
    **changed: Any,
) -> requests.Response:
    content = {
        "capability": name,
        "mode": MODES.get(name, "state"),
        "params": {} if params is None else params,
        "context": {"userId": USER_ID, "installId": "inst_1", "locale": "en", "timezone": "Europe/Oslo"},
        **changed,
    }
    body = json.dumps(content).encode()
    timestamp = str(int(time.time()) - age_seconds)
    signed = {
        "Content-Type": "application/json",
        "X-Aiffinity-User-Id": USER_ID,
        "X-Aiffinity-Timestamp": timestamp,
        "X-Aiffinity-Signature": signatures.sign_call(secret, timestamp, body),
    }
    return requests.post(
        f"{url}/aiffinity/capabilities/{name}/execute",
        data=body,
        headers=signed | (headers or {}),
        timeout=10,
    )


def deliver(url: str, event_id: str, *, header: str = "X-Aiffinity-Signature", **headers: str) -> requests.Response:
    body = json.dumps({"id": event_id, "type": "platform.ping", "data": {}}).encode()
    now = datetime.now(UTC)
    signed = {
        header: signatures.sign_body(SECRET, body),
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(event_id, now, body.decode()),
    }
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = {name: value for name, value in (signed | changed).items() if value}
    return requests.post(f"{url}/webhooks/aiffinity", data=body, headers=kept, timeout=10)


def received(url: str, event_id: str) -> list[dict[str, Any]]:
    events = requests.get(f"{url}/control/received", timeout=10).json()["events"]
    return [event for event in events if event["id"] == event_id]


def assert_refused(response: requests.Response, status_code: int, code: str) -> None:
    assert response.status_code == status_code
    answer = response.json()
    assert answer["status"] == "error"
    assert answer["error"]["code"] == code
    assert answer["error"]["retryable"] is False


def test_health_has_the_documented_format(acme):
    response = requests.get(f"{acme}/health", timeout=10)
    assert response.status_code == 200
    health = response.json()
    assert set(health) == {"status", "version", "uptime_seconds", "capabilities"}
    assert health["status"] == "ok"
    assert isinstance(health["uptime_seconds"], int)
    assert health["capabilities"] == dict.fromkeys(MODES, "healthy")


def test_weather_fits_the_documented_schema_and_stays_the_same(acme):
    answer = execute(acme, "current_weather").json()
    jsonschema.validate(answer["data"], WEATHER_SCHEMA)
    assert (answer["status"], answer["ttl"], answer["data"]["location"]) == ("ok", 900, "Oslo")
    bergen = [execute(acme, "current_weather", {"location": "Bergen"}).json()["data"] for _ in range(2)]
    assert bergen[0] == bergen[1]
    assert bergen[0] | {"location": "Oslo"} != answer["data"]


def test_answers_are_signed(acme):
    response = execute(acme, "current_weather")
    timestamp, signature = (response.headers[f"X-Aiffinity-{name}"] for name in ("Timestamp", "Signature"))
    assert signatures.is_call_signed(SECRET, timestamp, signature, response.content)
    assert signatures.is_fresh(timestamp)


@pytest.mark.parametrize(
    "changed",
    [
        {"secret": "whsec_wrong"},
        {"age_seconds": 301},
        {"age_seconds": -310},
        {"headers": {"X-Aiffinity-Signature": ""}},
        {"headers": {"X-Aiffinity-Signature": "0" * 64}},
        {"headers": {"X-Aiffinity-Signature": "\xe9"}},
        {"headers": {"X-Aiffinity-Timestamp": "1"}},
        {"headers": {"X-Aiffinity-Timestamp": "now"}},
    ],
)
def test_a_bad_or_stale_signature_is_refused_and_nothing_is_signed(acme, changed):
    response = execute(acme, "current_weather", **changed)
    assert_refused(response, 401, "invalid_signature")
    assert "X-Aiffinity-Signature" not in response.headers


@pytest.mark.parametrize(
    ("name", "params", "changed", "status_code", "code"),
    [
        ("no_such_thing", {}, {}, 404, "unknown_capability"),
        ("current_weather", {"location": 5}, {}, 400, "invalid_params"),
        ("current_weather", {"location": "  "}, {}, 400, "invalid_params"),
        ("current_weather", {"place": "Oslo"}, {}, 400, "invalid_params"),
        ("current_weather", "Oslo", {}, 400, "invalid_params"),
        ("current_weather", {}, {"mode": "action"}, 400, "invalid_request"),
        ("current_weather", {}, {"capability": "create_task"}, 400, "invalid_request"),
        ("current_weather", {}, {"context": {"userId": "usr_other"}}, 400, "invalid_request"),
        ("current_weather", {}, {"headers": {"X-Aiffinity-User-Id": ""}}, 400, "invalid_request"),
        ("create_task", {}, {}, 400, "invalid_params"),
        ("create_task", {"title": "x" * 256}, {}, 400, "invalid_params"),
        ("create_task", {"title": "x", "priority": "asap"}, {}, 400, "invalid_params"),
        ("recent_transactions", {"limit": 51}, {}, 400, "invalid_params"),
        ("recent_transactions", {"limit": True}, {}, 400, "invalid_params"),
        ("recent_transactions", {"cursor": "txn_9999"}, {}, 400, "invalid_params"),
    ],
)
def test_a_bad_call_is_refused_with_its_reason(acme, name, params, changed, status_code, code):
    assert_refused(execute(acme, name, params, **changed), status_code, code)


def test_one_idempotency_key_acts_once_even_when_calls_race(acme):
    params = {"title": "Buy an umbrella", "priority": "high"}

    def create(key: str) -> Any:
        return execute(acme, "create_task", params, headers={"Idempotency-Key": key}).json()["data"]

    with ThreadPoolExecutor(20) as pool:
        tasks = list(pool.map(create, ["one-key"] * 40))
    assert all(task == tasks[0] for task in tasks)
    assert tasks[0]["url"].endswith(tasks[0]["task_id"])
    assert create("another-key")["task_id"] != tasks[0]["task_id"]
    reused = execute(acme, "create_task", {"title": "Other"}, headers={"Idempotency-Key": "one-key"})
    assert_refused(reused, 409, "idempotency_key_reused")


def test_history_pages_meet_every_transaction_once(acme):
    seen, cursor = [], None
    while True:
        params = {"limit": 50} | ({"cursor": cursor} if cursor else {})
        answer = execute(acme, "recent_transactions", params).json()
        seen += answer["data"]
        cursor = answer["nextCursor"]
        if cursor is None:
            break
    assert len(seen) == len({item["id"] for item in seen}) == 120
    assert set(seen[0]) == {"id", "amount", "merchant", "date"}
    assert [item["date"] for item in seen] == sorted((item["date"] for item in seen), reverse=True)


def test_a_webhook_is_verified_both_ways_and_acted_on_once(acme):
    assert deliver(acme, "evt_1").json() == {"received": True, "duplicate": False}
    assert deliver(acme, "evt_1").json() == {"received": True, "duplicate": True}
    first, second = received(acme, "evt_1")
    assert first["signatures"] == {"hex": True, "standard_webhooks": True}
    assert (first["is_verified"], first["is_duplicate"], second["is_duplicate"]) == (True, False, True)


def test_a_webhook_without_standard_headers_is_verified_by_the_hex_signature(acme):
    assert deliver(acme, "evt_2", webhook_signature="").status_code == 200
    assert received(acme, "evt_2")[0]["signatures"] == {"hex": True}


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Aiffinity_Signature": "0" * 64},
        {"X_Aiffinity_Signature": ""},
        {"webhook_signature": "v1,AAAA"},
        {"webhook_signature": "nonsense"},
        {"webhook_id": "evt_other"},
        {"webhook_timestamp": "1700000000"},
    ],
)
def test_a_forged_webhook_is_refused_and_leaves_its_event_unseen(acme, headers):
    event_id = f"evt_forged_{sorted(headers.items())}"
    assert_refused(deliver(acme, event_id, **headers), 401, "invalid_signature")
    assert received(acme, event_id) == []
    assert deliver(acme, event_id).json()["duplicate"] is False


def test_the_secret_can_be_set_while_it_runs_and_the_header_chosen():
    with running_acme("--signature-header", "X-Acme-Signature", secret="") as url:
        assert_refused(execute(url, "current_weather", secret=""), 401, "invalid_signature")
        assert_refused(deliver(url, "evt_1", header="X-Acme-Signature"), 401, "invalid_signature")
        assert_refused(requests.post(f"{url}/control", json={}, timeout=10), 400, "invalid_request")
        assert requests.post(f"{url}/control", json={"signing_secret": SECRET}, timeout=10).status_code == 200
        assert execute(url, "current_weather").status_code == 200
        assert deliver(url, "evt_1", header="X-Acme-Signature").status_code == 200
        assert_refused(deliver(url, "evt_1"), 401, "invalid_signature")


def test_a_state_file_keeps_tasks_and_events_over_a_restart(tmp_path):
    options = ("--state-file", str(tmp_path / "state.sqlite3"))
    key = {"Idempotency-Key": "kept"}
    with running_acme(*options) as url:
        task = execute(url, "create_task", {"title": "Kept"}, headers=key).json()["data"]
        assert deliver(url, "evt_kept").json()["duplicate"] is False
    with running_acme(*options) as url:
        assert execute(url, "create_task", {"title": "Kept"}, headers=key).json()["data"] == task
        assert deliver(url, "evt_kept").json()["duplicate"] is True
        assert requests.get(f"{url}/control/received", timeout=10).json()["tasks"] == 1


def test_unknown_paths_and_unreadable_json_are_refused(acme):
    with requests.Session() as session:
        assert_refused(session.get(f"{acme}/nowhere", timeout=10), 404, "not_found")
        assert_refused(session.post(f"{acme}/nowhere", data=b"{}", timeout=10), 404, "not_found")
        assert_refused(session.post(f"{acme}/control", data=b"[" * 10000, timeout=10), 400, "invalid_request")
        assert_refused(session.post(f"{acme}/control", data=b"[]", timeout=10), 400, "invalid_request")
        assert session.get(f"{acme}/health", timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"Content-Length: 1048577", b"413"),
        (b"Content-Length: 99999999999999999999", b"413"),
        (b"Content-Length: -1", b"411"),
        (b"Transfer-Encoding: chunked", b"411"),
    ],
)
def test_a_body_that_is_not_read_ends_the_connection(acme, header, status):
    host, port = acme.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"POST /control HTTP/1.1\r\nHost: acme\r\n" + header + b"\r\n\r\n")
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "invalid_request"


def test_calls_over_one_connection_are_answered_without_a_delay(acme):
    with requests.Session() as session:
        session.get(f"{acme}/health", timeout=10)
        started_at = time.perf_counter()
        for _ in range(20):
            session.get(f"{acme}/health", timeout=10)
    assert time.perf_counter() - started_at < 20 * 0.035


@pytest.mark.parametrize("secret", [SECRET, SECRET.rstrip("="), SECRET.removeprefix("whsec_")])
def test_the_standard_webhooks_check_agrees_with_the_published_library(secret):
    now, body = datetime.now(UTC), '{"id": "evt_1", "city": "Tromsø"}'
    timestamp = str(int(now.timestamp()))
    stock = Webhook(secret).sign("evt_1", now, body)
    raw = body.encode()
    assert signatures.is_standard_webhook(secret, "evt_1", timestamp, stock, raw)
    assert signatures.is_standard_webhook(secret, "evt_1", timestamp, f"v1,AAAA v2,BBBB {stock}", raw)
    assert not signatures.is_standard_webhook(secret, "evt_2", timestamp, stock, raw)
    assert not signatures.is_standard_webhook(secret, "evt_1", timestamp, stock, raw + b" ")
    assert not signatures.is_standard_webhook(secret, "evt_1", timestamp, stock.replace("v1,", "v2,"), raw)
    later = now.timestamp() + 302
    assert not signatures.is_standard_webhook(secret, "evt_1", timestamp, stock, raw, now=later)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_your-signing-secret", "whsec_é"])
def test_a_secret_without_base64_verifies_no_standard_webhook(secret):
    assert signatures.standard_key(secret) is None
    assert not signatures.is_standard_webhook(secret, "evt_1", str(int(time.time())), "v1,", b"{}")


def test_the_hex_signatures_are_those_of_the_protocol():
    secret, body = "whsec_your-signing-secret", b'{"id": "evt_1"}'
    assert signatures.sign_body(secret, body) == ("0cb0cd8761b863005272401a9f8d667df3556986a4891e5a3a4cf02d956f15a4")
    assert signatures.sign_call(secret, "1775296800", body) == (
        "ee8f42f36594cc5ca2ef66db6b82e62040e23adc79d44d2397a6213ce30f9050"
    )
