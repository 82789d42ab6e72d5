"""A rotation of master keys that is killed, or that others write beside, ends with every secret under the new key."""

import base64
import itertools
import os
import signal
import subprocess
import sys
import threading
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from aiffinity.embedded.processes import wait_until
from aiffinity.lib.crypto import Secret, keyring, parse_keyring
from aiffinity.lib.ids import new_id
from aiffinity.lib.models import OutgoingMail
from aiffinity.lib.rewrapping import SealedColumn
from runtime.models import RuntimeApp
from runtime.named_secrets import open_named_secrets, set_named_secret

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
NEW_KEY = f"k2:{base64.b64encode(bytes([7]) * 32).decode()}"
MAILS = 1_500


def make_mails(count):
    """Seal mails under the key that is active, and return their texts by id."""
    now, texts = timezone.now(), {}
    rows = []
    for number in range(count):
        mail_id = new_id("mail")
        texts[mail_id] = f"text {number}"
        sealed = keyring().encrypt(Secret(texts[mail_id]), context=mail_id)
        rows.append(OutgoingMail(id=mail_id, to="a@b.test", sealed_body=sealed, next_attempt_at=now, created_at=now))
    OutgoingMail.objects.bulk_create(rows)
    return texts


def moved():
    return OutgoingMail.objects.filter(sealed_body__startswith="v1.k2.").count()


def opened():
    return {
        pk: keyring().decrypt(sealed, context=pk).reveal()
        for pk, sealed in OutgoingMail.objects.values_list("pk", "sealed_body")
    }


def unknown_keys():
    found = run_checks(tags=[Tags.database], databases=["default"])
    return [error.msg for error in found if error.id == "aiffinity.E005"]


def start_rotation(entries):
    """Start the command in a process of its own on this test's database."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    path = f"{parts.path.rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    environment = {
        **os.environ,
        "DATABASE_URL": urlunsplit(parts._replace(path=path)),
        "AIFFINITY_ENCRYPTION_KEYS": ",".join(entries),
    }
    command = [sys.executable, "manage.py", "rotate_encryption_keys"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def test_a_killed_rotation_is_gone_on_with_and_the_old_key_can_go(settings):
    texts, old_keys = make_mails(MAILS), list(settings.ENCRYPTION_KEYS)
    process = start_rotation([NEW_KEY, *old_keys])
    try:
        assert wait_until(lambda: moved() > 100, timeout_seconds=60)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    assert 100 < moved() < MAILS
    settings.ENCRYPTION_KEYS = [NEW_KEY]
    [told] = unknown_keys()
    assert told.startswith("Rows of lib.OutgoingMail.sealed_body were sealed with master key 'k1'")
    settings.ENCRYPTION_KEYS = [NEW_KEY, *old_keys]
    assert opened() == texts

    before = moved()
    ended = start_rotation([NEW_KEY, *old_keys])
    told, _ = ended.communicate(timeout=60)
    assert ended.returncode == 0
    assert f"lib.OutgoingMail.sealed_body: {MAILS - before} moved" in told
    assert "the others may be removed" in told
    settings.ENCRYPTION_KEYS = [NEW_KEY]
    assert unknown_keys() == []
    assert opened() == texts


def test_secrets_that_are_set_meanwhile_keep_their_newest_value(settings, make_account, make_app, api, id_token):
    account = make_account()
    app, token = make_app(account), id_token(account)
    body = {"app_id": app.pk, "runtime_url": "https://api.acmeweather.com/aiffinity"}
    assert api.post("/v1/providers/runtime/apps", body, token=token).status_code == 201
    runtime_app = RuntimeApp.objects.select_related("app").get(pk=app.pk)
    for number in range(10):
        set_named_secret(runtime_app, f"KEY_{number}", Secret("old"), actor="test")
    make_mails(500)
    settings.ENCRYPTION_KEYS = [NEW_KEY, *settings.ENCRYPTION_KEYS]
    is_over, written = threading.Event(), {}

    def write():
        try:
            for number in itertools.count():
                key = f"KEY_{number % 10}"
                set_named_secret(runtime_app, key, Secret(f"value {number}"), actor="test")
                written[key] = f"value {number}"
                if is_over.is_set() and number >= 20:
                    return
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        call_command("rotate_encryption_keys", stdout=StringIO())
    finally:
        is_over.set()
        writer.join()
    settings.ENCRYPTION_KEYS = [NEW_KEY]
    assert unknown_keys() == []
    assert {key: secret.reveal() for key, secret in open_named_secrets(runtime_app).items()} == written


def test_a_process_that_seals_with_the_old_key_meanwhile_is_noticed(settings, monkeypatch):
    old_ring = parse_keyring(settings.ENCRYPTION_KEYS)
    first, *_ = make_mails(3)
    settings.ENCRYPTION_KEYS = [NEW_KEY, *settings.ENCRYPTION_KEYS]

    def context_of(mail):
        # While the others move, a process that was not restarted writes the first one once more.
        if mail.pk != first:
            sealed = old_ring.encrypt(Secret("late"), context=first)
            OutgoingMail.objects.filter(pk=first).update(sealed_body=sealed)
        return mail.pk

    column = SealedColumn(OutgoingMail, "sealed_body", context_of)
    monkeypatch.setattr("aiffinity.lib.management.commands.rotate_encryption_keys.sealed_columns", [column])
    with pytest.raises(CommandError, match="1 rows were sealed under an old master key meanwhile"):
        call_command("rotate_encryption_keys", stdout=StringIO())
    output = StringIO()
    call_command("rotate_encryption_keys", stdout=output)
    assert "lib.OutgoingMail.sealed_body: 1 moved" in output.getvalue()
