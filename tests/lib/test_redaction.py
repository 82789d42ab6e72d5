"""Canary secrets go through the log formatter in every disguise; none comes out."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from aiffinity.lib.crypto import Secret
from aiffinity.lib.log_context import bind_log_context, start_log_context
from aiffinity.lib.logs import JsonFormatter
from aiffinity.lib.redaction import REDACTED, VALUES_REMEMBERED, redact, redact_always, redact_tree
from aiffinity.lib.request_ids import current_request_id

CANARY = "Canary0000Canary1111"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.Q2FuYXJ5Q2FuYXJ5"
DISGUISES = [
    f"cs_live_{CANARY}",
    f"cs_test_{CANARY}",
    f"id=cs_live_{CANARY}&x=1",
    f"whsec_{CANARY}==",
    f"rt_{CANARY}",
    f"mt_{CANARY}",
    f"Authorization: Bearer {CANARY}",
    f"authorization: bearer {CANARY}",
    f"Authorization: Basic {CANARY}=",
    f"password={CANARY}",
    f"grant_type=x&client_secret={CANARY}&a=b",
    f'{{"password": "{CANARY}"}}',
    f'{{"password":"{CANARY}"}}',
    f'{{"password": "with \\" quote {CANARY}"}}',
    f"{{'api_key': '{CANARY}'}}",
    f"{{'Refresh_Token': '{CANARY}'}}",
    f"postgres://user:{CANARY}@host/db",
    f"redis://:{CANARY}@host:6379/0",
    f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----",
    f"-----BEGIN PRIVATE KEY-----\n{CANARY}",
]


def line_of(message, *args, **extra):
    record = logging.LogRecord("test", logging.INFO, __file__, 1, message, args, None)
    vars(record).update(extra)
    return JsonFormatter().format(record)


@pytest.mark.parametrize("text", DISGUISES)
def test_a_canary_is_hidden_in_message_argument_extra_and_traceback(text):
    error = ValueError(text)
    record = logging.LogRecord("test", logging.ERROR, __file__, 1, text, (), (ValueError, error, None))
    lines = [
        JsonFormatter().format(record),
        line_of("seen: %s", text),
        line_of("x", seen=text, nested={"list": [text], text: 1}),
    ]
    for line in lines:
        assert CANARY not in line
        assert REDACTED in line
        json.loads(line)


def test_a_jwt_is_hidden_whole():
    assert redact(f"token {JWT} end") == f"token {REDACTED} end"


def test_members_with_a_secrets_name_are_hidden_whatever_they_hold():
    tree = redact_tree({"password": "short", "Client-Secret": ["a"], "note": "kept", "token": None})
    assert tree == {"password": REDACTED, "Client-Secret": REDACTED, "note": "kept", "token": None}


def test_plain_texts_stay_as_they_are():
    for text in (
        "token: this link is too old",
        "The app's secret was rotated.",
        "https://api.acme.com/v1/weather?city=Berlin",
        "password must have 10 characters",
        'Bearer realm="aiffinity"',
        "acct_01J8XKWM3N4QR5STVYZ2BCDEFG",
    ):
        assert redact(text) == text


def test_an_opened_secret_is_hidden_by_value_while_its_request_runs():
    start_log_context()
    Secret("no-shape-at-all")
    assert redact("x no-shape-at-all y") == f"x {REDACTED} y"
    start_log_context()
    assert redact("x no-shape-at-all y") == "x no-shape-at-all y"


def test_a_secret_that_is_used_again_outlasts_a_crowd_of_others():
    start_log_context()
    first = Secret("no-shape-at-all")
    for number in range(VALUES_REMEMBERED - 1):
        Secret(f"another-one-{number}")
    first.reveal()
    Secret("the-newest-one")
    assert redact("x no-shape-at-all y") == f"x {REDACTED} y"


def test_a_secret_that_begins_with_another_is_hidden_whole():
    start_log_context()
    for value in ("ada.lovelace", "ada.lovelace:pass1234"):
        Secret(value)
    assert redact("as ada.lovelace:pass1234 or ada.lovelace") == f"as {REDACTED} or {REDACTED}"


def test_a_thread_that_sends_a_secret_of_another_hides_it_too():
    secret = Secret("no-shape-at-all")
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: redact(f"sent {secret.reveal()}")).result() == f"sent {REDACTED}"


def test_configured_secrets_are_hidden_always():
    redact_always(["the-configured-one", "short"])
    assert redact("a the-configured-one, a short one") == f"a {REDACTED}, a short one"


def test_a_line_has_its_members_and_those_of_its_context():
    current_request_id.set("req_1")
    start_log_context(task_id="t1")
    bind_log_context(account_id="acct_1", app_id="")
    found = json.loads(line_of("hello %s", "you", latency_ms=5))
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "info",
        "logger": "test",
        "message": "hello you",
        "request_id": "req_1",
        "task_id": "t1",
        "account_id": "acct_1",
        "latency_ms": 5,
    }


def test_what_orjson_refuses_costs_no_line():
    found = json.loads(line_of("a \ud800 b", big=2**70, odd=object))
    assert found["message"] == "a \ud800 b"
    assert found["big"] == 2**70
    assert found["odd"] == "<class 'object'>"
