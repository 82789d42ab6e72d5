"""Wake-ups never hold a request up, and never tell of what was rolled back."""

import socket
import time
from typing import Any

import pytest
from celery import Celery
from django.db import transaction

from aiffinity.lib.wakeups import Waker, wake_on_commit, waker


class Task:
    """Notes its wake-ups."""

    name = "noted"

    def __init__(self):
        """Start without any."""
        self.calls = []

    def apply_async(self, **options):
        """Note one."""
        self.calls.append(options)


def task_of(broker_url):
    """Return a task whose messages go to a broker of its own."""
    app: Any = Celery("away", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.broker_url = broker_url

    @app.task(name="away.task")  # type: ignore[untyped-decorator]
    def task() -> None:
        """Never runs."""

    return task


@pytest.mark.django_db(transaction=True)
def test_a_wake_up_goes_out_with_the_commit_and_not_before():
    task: Any = Task()
    with transaction.atomic():
        wake_on_commit(task)
        assert waker.flush()
        assert task.calls == []
    assert waker.flush()
    assert task.calls == [{"args": (), "ignore_result": True, "retry": False}]
    with transaction.atomic():
        wake_on_commit(task)
        transaction.set_rollback(True)
    assert waker.flush()
    assert len(task.calls) == 1


def test_equal_wake_ups_that_wait_are_sent_once():
    task: Any = Task()
    own = Waker()
    with own._changed:
        for argument in ("one", "two", "one"):
            own.wake(task, argument)
    assert own.flush()
    assert [call["args"] for call in task.calls] == [("one",), ("two",)]


def test_a_broker_that_is_away_costs_one_line_and_no_time(tmp_path, caplog):
    task, own = task_of(f"redis+socket://{tmp_path}/nobody.sock"), Waker()
    for _ in range(3):
        own.wake(task)
        assert own.flush(10)
    assert [record.getMessage() for record in caplog.records if record.name == "aiffinity.lib.wakeups"] == [
        "no wake-up for away.task: the broker is away (OperationalError)"
    ]


def test_a_frozen_broker_holds_nobody_up(tmp_path):
    path = f"{tmp_path}/frozen.sock"
    with socket.socket(socket.AF_UNIX) as frozen:
        frozen.bind(path)
        frozen.listen()
        task, own = task_of(f"redis+socket://{path}"), Waker()
        own.wake(task)
        began_at = time.monotonic()
        assert not own.flush(0.2)
        own.wake(task)
        assert time.monotonic() - began_at < 1
