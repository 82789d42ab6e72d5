"""The audit log takes entries and nothing else, and every tampering is found."""

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from aiffinity.lib.audit import append_audit, find_breaks
from aiffinity.lib.models import AuditEntry


def append(subject="ver_1", **fields):
    return append_audit(**{"subject": subject, "action": "submit", "actor": "user:uid_1", **fields})


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE lib_auditentry SET reason = 'other'",
        "UPDATE lib_auditentry SET reason = 'other' WHERE false",
        "DELETE FROM lib_auditentry",
        "TRUNCATE lib_auditentry",
        "TRUNCATE lib_auditentry CASCADE",
    ],
)
def test_every_statement_but_insert_is_refused(statement):
    append()
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        connection.cursor().execute(statement)
    assert AuditEntry.objects.get().reason == ""


@pytest.mark.django_db
def test_entries_of_a_subject_are_chained():
    first = append(from_state="draft", to_state="submitted", data={"score": 0.5, "n": 1.0})
    second, other = append(), append("ver_2")
    assert (first.sequence, second.sequence, other.sequence) == (1, 2, 1)
    assert (first.previous_hash, second.previous_hash) == ("0" * 64, first.hash)
    assert list(find_breaks()) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        "reason = 'x'",
        "actor = 'user:uid_2'",
        "data = '{\"a\": 2}'",
        "created_at = created_at + interval '1 second'",
        "hash = repeat('0', 64)",
        "sequence = 7",
        "to_state = 'listed'",
    ],
)
def test_a_changed_entry_is_found(change):
    append(data={"a": 1})
    entry = append(data={"a": 1})
    append("ver_2")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"UPDATE lib_auditentry SET {change} WHERE id = %s", [entry.pk])  # noqa: S608
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    assert [broken.pk for broken in find_breaks()] == [entry.pk]
    output = StringIO()
    with pytest.raises(CommandError, match="1 audit entries are broken"):
        call_command("verify_audit_log", stdout=output)
    assert entry.pk in output.getvalue()


@pytest.mark.django_db
def test_a_missing_entry_is_found_at_its_successor():
    append()
    gone, successor = append(), append()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM lib_auditentry WHERE id = %s", [gone.pk])
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    assert [broken.pk for broken in find_breaks()] == [successor.pk]


@pytest.mark.django_db
def test_100_of_100_tampered_entries_are_found():
    entries = [append(f"ver_{number % 10}") for number in range(100)]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE lib_auditentry SET reason = 'tampered'")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    assert {broken.pk for broken in find_breaks()} == {entry.pk for entry in entries}


@pytest.mark.django_db
def test_a_whole_log_is_said_to_be_whole():
    append()
    output = StringIO()
    call_command("verify_audit_log", stdout=output)
    assert output.getvalue() == "The audit log is whole.\n"


@pytest.mark.django_db(transaction=True)
def test_parallel_writers_make_one_chain():
    def write(_):
        try:
            with transaction.atomic():
                append()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(40)))
    sequences = AuditEntry.objects.order_by("sequence").values_list("sequence", flat=True)
    assert list(sequences) == list(range(1, 41))
    assert list(find_breaks()) == []


@pytest.mark.django_db(transaction=True)
def test_the_flush_after_a_test_leaves_no_entry_behind():
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
def test_the_trigger_can_be_taken_off_and_put_back_by_its_migration():
    migration = import_module("aiffinity.lib.migrations.0002_audit_triggers")
    append()
    with connection.cursor() as cursor:
        cursor.execute(migration.DROP)
        cursor.execute("DELETE FROM lib_auditentry")
        cursor.execute(migration.CREATE)
    append()
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        AuditEntry.objects.all().delete()
