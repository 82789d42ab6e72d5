"""The doctor names what is wrong, when it really is, and says nothing while all is well."""

import base64
import json
import os
import socket
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from celery.contrib.testing.worker import start_worker
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from aiffinity.celery import celery_app
from aiffinity.lib.audit import append_audit
from aiffinity.lib.doctor import Severity, database, deployment, examine_all, processes, records
from aiffinity.lib.heartbeats import note_heartbeat
from aiffinity.lib.mails import queue_mail
from aiffinity.lib.models import AuditEntry, Heartbeat, OutgoingMail
from aiffinity.lib.ratelimit import redis_client

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]


def codes(findings):
    return [(finding.code, finding.severity.name) for finding in findings]


def ago(**span):
    return timezone.now() - timedelta(**span)


@pytest.fixture
def listener():
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.django_db(transaction=True)
def test_a_healthy_platform_has_no_findings(settings):
    settings.DATABASE_POOL_SIZE = 4
    note_heartbeat()
    with start_worker(celery_app, pool="solo", perform_ping_check=False):
        assert examine_all() == []


def test_every_finding_says_why_and_what_to_do(settings):
    settings.DATABASE_POOL_SIZE = 10_000
    for finding in examine_all():
        assert all(text.endswith(".") and len(text) > 10 for text in (finding.what, finding.why, finding.remedy))


def test_without_a_worker_nothing_answers():
    assert codes(processes.examine_workers()) == [("no_worker", "FAULT")]


@pytest.fixture
def use_redis(settings):
    """Return a function that points the platform at another Redis until the test ends."""

    def use(server):
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        redis_client.cache_clear()

    yield use
    redis_client.cache_clear()


def test_a_redis_that_is_away_or_frozen_is_told_apart(use_redis, listener):
    assert list(processes.examine_redis()) == []
    use_redis(listener)
    assert codes(processes.examine_redis()) == [("redis_frozen", "FAULT")]
    assert list(processes.examine_workers()) == []
    listener.close()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        use_redis(closed)
    assert codes(processes.examine_redis()) == [("redis_away", "FAULT")]


def test_an_address_that_is_none_is_said_without_it(settings):
    settings.REDIS_URL = "redis://:se/cret@127.0.0.1:0"
    redis_client.cache_clear()
    try:
        [finding] = processes.examine_redis()
    finally:
        redis_client.cache_clear()
    assert (finding.code, finding.what) == ("redis_away", "REDIS_URL is not the address of a Redis server.")


def test_an_examination_that_breaks_is_a_fault_and_hides_no_other(settings):
    settings.DATABASE_POOL_SIZE = "many"
    found = {finding.code: finding for finding in examine_all()}
    assert found["examination_failed"].what == "The examination 'connections' failed (TypeError)."
    assert found["examination_failed"].severity == Severity.FAULT
    assert {"no_worker", "beat_never_heard"} <= set(found)


def test_the_beat_is_heard_or_not():
    assert codes(processes.examine_beat()) == [("beat_never_heard", "WARNING")]
    note_heartbeat()
    assert list(processes.examine_beat()) == []
    Heartbeat.objects.update(heard_at=ago(seconds=61))
    assert codes(processes.examine_beat()) == [("beat_silent", "WARNING")]
    Heartbeat.objects.update(heard_at=ago(minutes=11))
    [finding] = processes.examine_beat()
    assert (finding.severity, finding.what) == (
        Severity.FAULT,
        "The last wake-up of the beat arrived 11 min ago.",
    )


def test_missing_migrations_are_found():
    assert list(database.examine_migrations()) == []
    MigrationRecorder(connection).migration_qs.filter(app="lib").latest("pk").delete()
    [finding] = database.examine_migrations()
    assert (finding.code, finding.what) == ("migrations_missing", "1 migrations are not applied.")


def test_pools_beyond_the_servers_connections_are_found(settings, monkeypatch):
    settings.DATABASE_POOL_SIZE = 1
    assert list(database.examine_connections()) == []
    settings.DATABASE_POOL_SIZE = 10_000
    assert codes(database.examine_connections()) == [("pool_too_large", "WARNING")]
    settings.DATABASE_POOL_SIZE = 1
    monkeypatch.setattr(database, "BUSY_SHARE", 0.001)
    assert codes(database.examine_connections()) == [("connections_scarce", "WARNING")]


@pytest.mark.parametrize(("seconds", "expected"), [(0, []), (5, ["WARNING"]), (60, ["FAULT"])])
def test_a_clock_that_differs_from_the_databases_is_found(seconds, expected):
    with time_machine.travel(timezone.now() + timedelta(seconds=seconds)):
        assert [finding.severity.name for finding in database.examine_clocks()] == expected


def test_what_the_system_checks_find_is_told(settings):
    assert list(deployment.examine_configuration()) == []
    settings.ENVIRONMENT = "production"
    found = {finding.code: finding for finding in deployment.examine_configuration()}
    assert found["aiffinity.E002"].severity == Severity.FAULT
    assert found["aiffinity.E002"].remedy == "Unset AIFFINITY_EGRESS_ALLOW and AIFFINITY_EGRESS_ALLOW_HTTP."
    assert found["security.W008"].severity == Severity.WARNING
    settings.ENVIRONMENT, settings.ENCRYPTION_KEYS = "development", []
    assert codes(deployment.examine_configuration()) == [("aiffinity.E003", "FAULT")]
    assert list(records.examine_encryption_keys()) == []


def test_a_full_disk_is_found(tmp_path):
    assert list(deployment.disk_findings(tmp_path, scarce_share=0)) == []
    below = tmp_path / "not" / "there"
    [finding] = deployment.disk_findings(below, scarce_share=1.1, full_share=0)
    assert (finding.severity, str(tmp_path) in finding.what) == (Severity.WARNING, True)
    assert codes(deployment.disk_findings(below, scarce_share=1.1, full_share=1.1)) == [("disk_full", "FAULT")]


def test_secrets_under_an_older_key_are_found(settings):
    queue_mail(to="a@example.com", template="verify_email", context={"token": "mt_1"})
    assert list(records.examine_encryption_keys()) == []
    settings.ENCRYPTION_KEYS = [f"k2:{base64.b64encode(bytes([7]) * 32).decode()}", *settings.ENCRYPTION_KEYS]
    [finding] = records.examine_encryption_keys()
    assert "1 of lib.OutgoingMail.sealed_body" in finding.what
    call_command("rotate_encryption_keys", stdout=StringIO())
    assert list(records.examine_encryption_keys()) == []


def test_mails_that_wait_or_are_refused_are_found():
    mail = queue_mail(to="a@example.com", template="verify_email", context={"token": "mt_1"})
    assert list(records.examine_mails()) == []
    OutgoingMail.objects.filter(pk=mail.pk).update(next_attempt_at=ago(minutes=6), attempts_made=3)
    assert codes(records.examine_mails()) == [("mails_waiting", "WARNING"), ("mails_refused", "WARNING")]
    OutgoingMail.objects.filter(pk=mail.pk).update(next_attempt_at=ago(minutes=61), attempts_made=0)
    assert codes(records.examine_mails()) == [("mails_waiting", "FAULT")]


def test_a_broken_audit_chain_is_found():
    for number in range(30):
        append_audit(subject=f"acct_{number}", action="made", actor="test")
    append_audit(subject="acct_29", action="changed", actor="test")
    assert list(records.examine_audit_log()) == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
    AuditEntry.objects.filter(subject="acct_29", sequence=1).update(actor="nobody")
    [finding] = records.examine_audit_log()
    assert (finding.code, finding.what) == (
        "audit_broken",
        "The audit log of acct_29 was changed after it was written.",
    )


def run(*arguments):
    output = StringIO()
    status = 0
    try:
        call_command("doctor", *arguments, stdout=output)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, output.getvalue()


@pytest.mark.django_db(transaction=True)
def test_the_command_ends_with_the_status_of_the_worst_finding(settings):
    settings.DATABASE_POOL_SIZE = 4
    with start_worker(celery_app, pool="solo", perform_ping_check=False):
        status, told = run()
        assert status == 1
        assert told.startswith(
            "WARNING: No wake-up of the beat has ever arrived at a worker. [beat_never_heard]\n  Why it matters: "
        )
        note_heartbeat()
        assert run() == (0, "All is well.\n")
    status, told = run("--json")
    answer = json.loads(told)
    assert (status, answer["status"]) == (2, 2)
    [finding] = answer["findings"]
    assert (finding["code"], finding["severity"]) == ("no_worker", "fault")
    assert set(finding) == {"code", "severity", "what", "why", "remedy"}


def test_a_database_that_is_away_is_said_in_plain_words():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": f"postgresql://nobody@127.0.0.1:{port}/none"}
    command = [sys.executable, "manage.py", "doctor", "--json"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=100)
    assert ended.returncode == 2, ended.stderr[-2000:]
    found = [finding["code"] for finding in json.loads(ended.stdout)["findings"]]
    assert "database_away" in found
    assert "examination_failed" not in found
