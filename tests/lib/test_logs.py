"""Every process logs JSON lines with its ids; requests leave one line of access log."""

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync
from celery import shared_task
from celery.contrib.testing.worker import start_worker
from django.test import AsyncClient

from aiffinity.celery import celery_app
from aiffinity.lib.log_context import bind_caller, log_members, start_log_context
from aiffinity.lib.logs import JsonFormatter
from aiffinity.lib.request_ids import current_request_id

ROOT = Path(__file__).resolve().parents[2]
GIVEN_ID = "req_01J8XKWM3N4QR5STVYZ2BCDEFG"
CANARY = "Canary0000Canary1111"


@contextlib.contextmanager
def collected(logger):
    """Collect a logger's lines as the platform would write them."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture
def lines():
    """Collect the lines of every logger."""
    with collected(logging.getLogger()) as found:
        yield found


def access_line(lines):
    [line] = [line for line in lines() if line["logger"] == "aiffinity.access"]
    assert line.pop("duration_ms") >= 0
    assert line.pop("time")
    return line


def test_a_request_is_logged_without_its_query(api, runs, lines):
    api.get(f"/v1/test/pages?limit=0&token={CANARY}", headers={"X-Request-Id": GIVEN_ID})
    assert access_line(lines) == {
        "level": "info",
        "logger": "aiffinity.access",
        "message": "request",
        "request_id": GIVEN_ID,
        "method": "GET",
        "path": "/v1/test/pages",
        "status": 400,
    }


def test_a_request_names_its_caller_account_and_app(api, lines, make_account, make_app, access_token, id_token):
    account = make_account()
    app = make_app(account)
    api.get("/v1/providers/apps", token=id_token(account))
    line = access_line(lines)
    assert (line["caller"], line["account_id"]) == (f"user:{account.owner.pk}", account.pk)
    assert "app_id" not in line
    api.get("/v1/providers/runtime/apps", token=access_token(app))
    line = [line for line in lines() if line["logger"] == "aiffinity.access"][-1]
    assert (line["caller"], line["account_id"], line["app_id"]) == (f"app:{app.pk}", account.pk, app.pk)


def test_a_request_under_asgi_is_logged_the_same_way(lines):
    response = async_to_sync(AsyncClient().get)("/healthz", headers={"X-Request-Id": GIVEN_ID})
    assert response["X-Request-Id"] == GIVEN_ID
    line = access_line(lines)
    assert (line["path"], line["request_id"], line["level"]) == ("/healthz", GIVEN_ID, "debug")


def test_a_failure_is_logged_with_its_traceback_and_request_id(api, runs, lines):
    response = api.post("/v1/test/fail/plainly")
    [line] = [line for line in lines() if "traceback" in line]
    assert "ZeroDivisionError: canary-detail" in line["traceback"]
    assert line["request_id"] == response["X-Request-Id"]


def test_canaries_of_a_request_reach_no_line(api, runs, lines):
    body = {"display_name": "A", "password": CANARY, "params": {"api_key": CANARY}}
    headers = {
        "Authorization": f"Bearer {CANARY}",
        "Idempotency-Key": f"cs_live_{CANARY}",
        "Cookie": f"sessionid={CANARY}",
    }
    for path in ("/v1/test/echo", "/v1/test/fail/plainly", f"/v1/test/whsec_{CANARY}", f"/v1/x?password={CANARY}"):
        api.post(path, body, headers=headers)
    assert len(lines()) >= 4
    assert CANARY not in json.dumps(lines())


def test_the_caller_is_bound_by_its_attributes_alone():
    start_log_context()
    bind_caller(SimpleNamespace(key="user:u", account=None, app=SimpleNamespace(pk="app_1")))
    assert log_members() == {"caller": "user:u", "app_id": "app_1"}
    bind_caller(None)
    start_log_context()
    assert log_members() == {}


@shared_task
def noted_task():
    """Log one line."""
    logging.getLogger("tests.task").warning("working with password=%s", CANARY)


@pytest.mark.django_db(transaction=True)
def test_a_worker_logs_the_tasks_id_and_the_request_that_woke_it():
    current_request_id.set(GIVEN_ID)
    # A worker sets logging up anew, which takes other handlers off the root logger.
    with (
        collected(logging.getLogger("tests.task")) as lines,
        start_worker(celery_app, pool="solo", perform_ping_check=False, loglevel="ERROR"),
    ):
        result = noted_task.apply_async()
        line = poll(lambda: next(iter(lines()), None))
    assert line["message"] == "working with password=[redacted]"
    assert (line["request_id"], line["task_id"]) == (GIVEN_ID, result.id)
    assert line["task"].endswith("noted_task")


def poll(find, timeout_seconds=20):
    """Ask until there is an answer."""
    deadline = time.monotonic() + timeout_seconds
    while (found := find()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def run_lines(code, **environment):
    """Run code in a process of its own and return the lines of its standard error."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment, "DJANGO_SETTINGS_MODULE": "aiffinity.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize("logger", ["uvicorn.error", "uvicorn.access", "_granian", "granian.access", "celery.worker"])
def test_the_servers_own_loggers_write_the_same_lines(logger):
    code = f"""
import logging
server = logging.getLogger({logger!r})
server.addHandler(logging.StreamHandler())
server.propagate = False
import django
django.setup()
server.error("from the server: password={CANARY}")
"""
    [line] = run_lines(code)
    assert (line["logger"], line["message"]) == (logger, "from the server: password=[redacted]")


def test_configured_secrets_reach_no_line():
    code = """
import logging, django
django.setup()
from django.conf import settings
key = settings.ENCRYPTION_KEYS[0].partition(":")[2]
logging.getLogger("x").error("%s %s", settings.SECRET_KEY, key)
"""
    [line] = run_lines(code)
    assert line["message"] == "[redacted] [redacted]"


def test_a_server_writes_the_same_lines_before_it_loads_the_platform():
    code = f"""
import json, logging.config
logging.config.dictConfig(json.load(open("aiffinity/lib/server_logs.json")))
logging.getLogger("_granian").info("listening, token={CANARY}")
"""
    [line] = run_lines(code)
    assert (line["level"], line["logger"], line["message"]) == ("info", "_granian", "listening, token=[redacted]")
