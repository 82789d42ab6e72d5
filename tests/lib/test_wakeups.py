"""Wake-ups never hold a request up, and never tell of what was rolled back."""

import re
import socket
import time
from contextlib import suppress
from queue import Empty
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.db import transaction

from aiffinity.celery import celery_app
from aiffinity.lib.wakeups import Waker, wake_on_commit, waker

ROOMS = ("aiffinity", "providers", "runtime", "packages", "capabilities", "catalog")


def app_of(broker_url):
    """Return a Celery application with a broker of its own."""
    app: Any = Celery("apart", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.broker_url = broker_url
    return app


@pytest.fixture
def sent():
    """The names and arguments of the messages that wait at the broker, taken off it."""
    queue: Any = celery_app.connection_for_read().SimpleQueue(celery_app.conf.task_default_queue)
    queue.clear()

    def take():
        taken = []
        with suppress(Empty):
            while message := queue.get(block=False):
                message.ack()
                taken.append((message.headers["task"], tuple(message.payload[0])))
        return taken

    yield take
    queue.close()


@pytest.mark.django_db(transaction=True)
def test_a_wake_up_goes_out_with_the_commit_and_not_before(sent):
    with transaction.atomic():
        wake_on_commit("noted", "one")
        assert waker.flush(10)
        assert sent() == []
    assert waker.flush(10)
    assert sent() == [("noted", ("one",))]
    with transaction.atomic():
        wake_on_commit("noted", "two")
        transaction.set_rollback(True)
    assert waker.flush(10)
    assert sent() == []


def test_equal_wake_ups_that_wait_are_sent_once(sent):
    own = Waker()
    with own._changed:
        for argument in ("one", "two", "one"):
            own.wake("noted", argument)
    assert own.flush(10)
    assert sent() == [("noted", ("one",)), ("noted", ("two",))]


def test_every_name_that_is_woken_or_beaten_is_a_task():
    celery_app.loader.import_default_modules()
    names = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    for path in settings.BASE_DIR.glob("[a-z]*/**/*.py"):
        if path.relative_to(settings.BASE_DIR).parts[0] in ROOMS:
            names |= set(re.findall(r'\bwake(?:_on_commit)?\(\s*"([^"]+)"', path.read_text()))
    assert len(names) > len(settings.CELERY_BEAT_SCHEDULE)
    assert names <= set(celery_app.tasks)


def test_a_broker_that_is_away_costs_one_line_and_no_time(tmp_path, caplog):
    own = Waker(app_of(f"redis+socket://{tmp_path}/nobody.sock"))
    for _ in range(3):
        own.wake("away.task")
        assert own.flush(10)
    assert [record.getMessage() for record in caplog.records if record.name == "aiffinity.lib.wakeups"] == [
        "no wake-up for away.task: the broker is away (OperationalError)"
    ]


def test_a_frozen_broker_holds_nobody_up(tmp_path):
    path = f"{tmp_path}/frozen.sock"
    with socket.socket(socket.AF_UNIX) as frozen:
        frozen.bind(path)
        frozen.listen()
        own = Waker(app_of(f"redis+socket://{path}"))
        own.wake("away.task")
        began_at = time.monotonic()
        assert not own.flush(0.2)
        own.wake("away.task")
        assert time.monotonic() - began_at < 1
    # Its thread gives up with the socket, before the next test listens to the logs.
    assert own.flush(10)


def test_an_unforeseen_failure_costs_one_wake_up_and_not_all_that_follow(caplog):
    sent: list[str] = []

    class Broken:
        def send_task(self, task: str, **_: Any) -> None:
            if task == "unlucky.task":
                raise RuntimeError("The transport broke.")
            sent.append(task)

    own = Waker(Broken())  # type: ignore[arg-type]
    own.wake("unlucky.task")
    assert own.flush(10)
    own.wake("lucky.task")
    assert own.flush(10)
    assert sent == ["lucky.task"]
    told = [record.getMessage() for record in caplog.records if "lucky" in record.getMessage()]
    assert told == ["no wake-up for unlucky.task"]
