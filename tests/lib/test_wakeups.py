"""Wake-ups never hold a request up, and never tell of what was rolled back."""

import time
from typing import Any

import pytest
from celery import Celery
from django.db import transaction

from aiffinity.lib.wakeups import Waker, wake_on_commit


class Task:
    """Notes its wake-ups."""

    name = "noted"

    def __init__(self):
        """Start without any."""
        self.calls = []

    def apply_async(self, **options):
        """Note one."""
        self.calls.append(options)


@pytest.mark.django_db(transaction=True)
def test_a_wake_up_goes_out_with_the_commit_and_not_before():
    task: Any = Task()
    with transaction.atomic():
        wake_on_commit(task)
        assert task.calls == []
    assert task.calls == [{"args": (), "ignore_result": True, "retry": False}]
    with transaction.atomic():
        wake_on_commit(task)
        transaction.set_rollback(True)
    assert len(task.calls) == 1


def test_a_broker_that_is_away_costs_one_line_and_little_time(tmp_path, caplog):
    app: Any = Celery("away", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.broker_url = f"redis+socket://{tmp_path}/nobody.sock"

    @app.task(name="away.task")  # type: ignore[untyped-decorator]
    def task() -> None:
        """Never runs."""

    began_at, waker = time.monotonic(), Waker()
    for _ in range(3):
        waker.wake(task)
    assert time.monotonic() - began_at < 3
    assert [record.getMessage() for record in caplog.records if record.name == "aiffinity.lib.wakeups"] == [
        "no wake-up for away.task: the broker is away (OperationalError)"
    ]
