"""Buffered records: within a second, in batches, at the end of the process, never lost to one bad row."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DataError, connection
from django.utils import timezone

from capabilities.models import Invocation
from capabilities.recording import Recorder
from capabilities.records import Record, write_records
from runtime.models import RuntimeApp
from tests.published import Published


def record(number: int, app_id: str = "app_none", message: str = "") -> Record:
    """Make a record of one call."""
    invocation = Invocation(
        id=f"inv_{number}",
        app_id=app_id,
        capability_id="cap_1",
        capability="current_weather",
        mode="state",
        install_id="inst_1",
        version_id="ver_1",
        user_id="usr_1",
        status="error" if message else "ok",
        error_message=message,
        latency_ms=number,
        created_at=timezone.now(),
    )
    return Record(invocation, has_event=False)


def wait_for_rows(count: int, seconds: float = 5.0) -> None:
    """Wait until so many calls are written."""
    deadline = time.monotonic() + seconds
    while Invocation.objects.count() < count:
        assert time.monotonic() < deadline, f"{Invocation.objects.count()} of {count} calls were written"
        time.sleep(0.02)


@pytest.mark.django_db(transaction=True)
def test_records_are_written_within_a_second() -> None:
    recorder = Recorder()
    for number in range(1200):
        recorder.add(record(number))
    assert Invocation.objects.count() == 0
    wait_for_rows(1200)


@pytest.mark.django_db
def test_a_record_inside_a_transaction_shares_its_fate() -> None:
    Recorder().add(record(1))
    assert Invocation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_full_buffer_is_passed_by() -> None:
    recorder = Recorder(max_waiting=1)
    recorder.add(record(1))
    recorder.add(record(2))
    assert Invocation.objects.filter(pk="inv_2").exists()
    recorder.flush()
    assert Invocation.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_one_refused_record_does_not_take_the_others_along() -> None:
    recorder = Recorder()
    for number, message in ((1, ""), (2, "x" * 400), (3, "")):
        recorder.add(record(number, message=message))
    recorder.flush()
    assert set(Invocation.objects.values_list("pk", flat=True)) == {"inv_1", "inv_3"}
    with pytest.raises(DataError):
        write_records([record(4, message="x" * 400)])


@pytest.mark.django_db
def test_the_last_call_of_an_app_moves_forward_only(publish: Callable[..., Published]) -> None:
    published = publish()
    newest, older = record(1, published.app.pk), record(2, published.app.pk)
    older.invocation.created_at -= timedelta(hours=1)
    write_records([older, newest])
    write_records([older])
    runtime_app = RuntimeApp.objects.get(pk=published.app.pk)
    assert runtime_app.last_invocation_at == newest.invocation.created_at


SCRIPT = """
import django, sys
django.setup()
from tests.capabilities.test_recording import record
from capabilities.recording import recorder
recorder.add(record(7))
"""


@pytest.mark.django_db(transaction=True)
def test_what_waits_is_written_when_the_process_ends() -> None:
    settings = connection.settings_dict
    base = os.environ["DATABASE_URL"].rpartition("/")
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "aiffinity.settings",
        "DATABASE_URL": f"{base[0]}/{settings['NAME']}",
    }
    subprocess.run([sys.executable, "-c", SCRIPT], env=environment, check=True, timeout=60)
    assert Invocation.objects.filter(pk="inv_7").exists()
