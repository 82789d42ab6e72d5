"""A hundred tamperings with the audit log, by somebody who may switch its triggers off: each one is found."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from aiffinity.lib.audit import GENESIS, append_audit, entry_hash, find_breaks
from aiffinity.lib.ids import new_id
from aiffinity.lib.models import AuditEntry, AuditHead

pytestmark = pytest.mark.django_db

CHANGES = (
    "subject = 'ver_other'",
    "sequence = sequence + 1000",
    "action = 'version.approve'",
    "actor = 'user:uid_forged'",
    "from_state = 'in_review'",
    "to_state = 'listed'",
    "reason = reason || '!'",
    "request_id = 'req_forged'",
    "content_hash = repeat('f', 64)",
    'data = data || \'{"role": "reviewer"}\'',
    "created_at = created_at - interval '1 microsecond'",
    "previous_hash = repeat('a', 64)",
    "hash = repeat('b', 64)",
    "id = 'aud_forged'",
)
Tampering = Callable[[random.Random], str]


@pytest.fixture
def log() -> None:
    """Sixty entries of a dozen subjects, one of which has a single entry."""
    for number in range(60):
        data = {"number": number, "share": number / 7, "role": "provider"}
        append_audit(subject=f"ver_{number % 11}", action="version.submit", actor="user:uid_1", data=data)
    append_audit(subject="ver_alone", action="version.created", actor="user:uid_1")


@contextmanager
def without_triggers() -> Iterator[None]:
    """Act as a superuser of the database who switches every trigger off."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def run(statement: str, *parameters: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def any_entry(chance: random.Random) -> AuditEntry:
    return chance.choice(list(AuditEntry.objects.order_by("pk")))


def last_entry(chance: random.Random) -> AuditEntry:
    head = chance.choice(list(AuditHead.objects.order_by("pk")))
    return AuditEntry.objects.get(subject=head.subject, sequence=head.sequence)


def change_column(chance: random.Random) -> str:
    change, entry = chance.choice(CHANGES), any_entry(chance)
    run(f"UPDATE lib_auditentry SET {change} WHERE id = %s", entry.pk)  # noqa: S608 - One of the list above.
    return change


def change_and_hash_anew(chance: random.Random) -> str:
    """Change an entry, often the last one of its chain, and give it the hash that fits."""
    entry = chance.choice((any_entry, last_entry))(chance)
    entry.reason, entry.actor = "nothing to see", "system"
    entry.hash = entry_hash(entry)
    AuditEntry.objects.filter(pk=entry.pk).update(reason=entry.reason, actor=entry.actor, hash=entry.hash)
    return f"{entry} with its hash"


def delete_entries(chance: random.Random) -> str:
    """Delete one from anywhere, the last one, or a whole chain."""
    entry = chance.choice((any_entry, last_entry))(chance)
    column = chance.choice(("id", "id", "subject"))
    run(f"DELETE FROM lib_auditentry WHERE {column} = %s", getattr(entry, column))  # noqa: S608
    return f"{entry} by {column}"


def insert_entry(chance: random.Random) -> str:
    """Append an entry that fits its chain, or begin a chain that nobody wrote."""
    last = last_entry(chance) if chance.random() < 0.7 else None
    forged = any_entry(chance)
    forged.pk = new_id("aud")
    forged.subject = last.subject if last else "ver_forged"
    forged.sequence = last.sequence + 1 if last else 1
    forged.previous_hash = last.hash if last else GENESIS
    forged.hash = entry_hash(forged) if chance.random() < 0.8 else forged.hash
    forged.save(force_insert=True)
    return str(forged)


def swap_entries(chance: random.Random) -> str:
    """Exchange the places of two entries of one chain, or what two entries say."""
    first = any_entry(chance)
    others = AuditEntry.objects.exclude(pk=first.pk).order_by("pk")
    second = chance.choice(list(others.filter(subject=first.subject) or others))
    columns = chance.choice((("sequence",), ("sequence", "previous_hash"), ("action", "data", "created_at")))
    given = {pk: {name: getattr(row, name) for name in columns} for pk, row in ((first.pk, second), (second.pk, first))}
    if "sequence" in columns:
        AuditEntry.objects.filter(pk=first.pk).update(sequence=9999)
        AuditEntry.objects.filter(pk=second.pk).update(**given[second.pk])
    for pk, values in given.items():
        AuditEntry.objects.filter(pk=pk).update(**values)
    return f"{first} and {second}: {columns}"


@pytest.mark.parametrize("tamper", [change_column, change_and_hash_anew, delete_entries, insert_entry, swap_entries])
def test_twenty_of_twenty_tamperings_are_found(log: None, tamper: Tampering) -> None:
    missed = []
    for seed in range(20):
        with transaction.atomic():
            with without_triggers():
                told = tamper(random.Random(seed))  # noqa: S311 - A test that can be repeated.
            if not list(find_breaks()):
                missed.append((seed, told))
            transaction.set_rollback(True)
    assert missed == []
    assert list(find_breaks()) == []


def test_a_chain_that_was_cut_short_is_named_by_the_command(log: None) -> None:
    with without_triggers():
        run("DELETE FROM lib_auditentry WHERE subject = 'ver_3' AND sequence >= 4")
        run("DELETE FROM lib_auditentry WHERE subject = 'ver_alone'")
    output = StringIO()
    with pytest.raises(CommandError, match="2 audit entries are broken"):
        call_command("verify_audit_log", stdout=output)
    assert output.getvalue().splitlines() == ["broken: ver_3 #6  (missing)", "broken: ver_alone #1  (missing)"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE lib_audithead SET sequence = 1",
        "INSERT INTO lib_audithead (subject, sequence, hash) VALUES ('ver_new', 1, '')",
        "DELETE FROM lib_audithead",
        "TRUNCATE lib_audithead",
    ],
)
def test_heads_are_written_by_their_trigger_alone(log: None, statement: str) -> None:
    before = list(AuditHead.objects.order_by("pk").values_list())
    with pytest.raises(ProgrammingError, match="heads of the audit log follow"), transaction.atomic():
        run(statement)
    assert list(AuditHead.objects.order_by("pk").values_list()) == before


def test_head_is_the_newest_entry(log: None) -> None:
    for head in AuditHead.objects.all():
        newest = AuditEntry.objects.filter(subject=head.subject).latest("sequence")
        assert (head.sequence, head.hash) == (newest.sequence, newest.hash)
