"""Queued mails: written with the transaction, sealed at rest, sent once a server takes them."""

import smtplib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection, transaction
from django.utils import timezone

from aiffinity.lib import mail_delivery
from aiffinity.lib.mails import queue_mail
from aiffinity.lib.models import OutgoingMail
from aiffinity.lib.tasks import send_due_mails

CONTEXT = {"company_name": "A & B <i>\nInc", "token": "mt_0123456789abcdef", "url": "https://x.test/verify"}


def queue(to="dev@acme.test"):
    return queue_mail(to=to, template="verify_email", context=CONTEXT)


class RefusingBackend:
    """A mail server that takes nothing."""

    def __init__(self, **kwargs):
        """Take Django's options."""

    def send_messages(self, messages):
        """Refuse every mail."""
        raise smtplib.SMTPServerDisconnected("gone")


@pytest.fixture
def refusing(settings):
    settings.EMAIL_BACKEND = f"{__name__}.RefusingBackend"


@pytest.mark.django_db
def test_a_queued_mail_is_sealed_and_sent_once():
    row = queue()
    assert "mt_0123456789abcdef" not in str(vars(row))
    assert mail.outbox == []
    send_due_mails()
    send_due_mails()
    [message] = mail.outbox
    assert message.to == ["dev@acme.test"]
    assert message.subject == "Verify your mail address for A & B <i> Inc"
    assert "provider account of A & B <i>" in message.body
    assert "mt_0123456789abcdef" in message.body
    assert "https://x.test/verify" in message.body
    [(html, kind)] = message.alternatives  # type: ignore[attr-defined]
    assert kind == "text/html"
    assert "A &amp; B &lt;i&gt;" in html
    assert "mt_0123456789abcdef" in html
    assert "<img" not in html
    assert not OutgoingMail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_mail_of_a_transaction_that_rolls_back_is_never_sent():
    with transaction.atomic():
        queue()
        transaction.set_rollback(True)
    send_due_mails()
    assert mail.outbox == []


@pytest.mark.django_db
def test_a_refused_mail_is_put_off_longer_each_time(refusing, caplog):
    row = queue()
    delays = []
    for _ in range(3):
        OutgoingMail.objects.update(next_attempt_at=timezone.now())
        before = timezone.now()
        send_due_mails()
        row.refresh_from_db()
        delays.append(round((row.next_attempt_at - before).total_seconds()))
    assert delays == [10, 20, 40]
    assert row.attempts_made == 3
    assert "mt_" not in caplog.text


@pytest.mark.django_db
def test_a_mail_is_given_up_after_a_day(refusing):
    queue()
    OutgoingMail.objects.update(created_at=timezone.now() - timedelta(hours=25))
    send_due_mails()
    assert not OutgoingMail.objects.exists()


@pytest.mark.django_db
def test_a_mail_that_does_not_open_does_not_stop_the_others():
    bad, _ = queue("bad@acme.test"), queue("good@acme.test")
    OutgoingMail.objects.filter(pk=bad.pk).update(sealed_body="v1.k1.AAAA.AAAA")
    send_due_mails()
    assert [message.to for message in mail.outbox] == [["good@acme.test"]]
    assert OutgoingMail.objects.get().pk == bad.pk


@pytest.mark.django_db
def test_a_claimed_mail_is_out_of_sight_until_its_lease_ends():
    queue()
    assert len(mail_delivery._claim()) == 1
    send_due_mails()
    assert mail.outbox == []
    OutgoingMail.objects.update(next_attempt_at=timezone.now())
    send_due_mails()
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_workers_send_each_mail_once():
    for number in range(60):
        queue(f"dev{number}@acme.test")

    def work(_):
        try:
            return mail_delivery.send_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        sent = list(threads.map(work, range(6)))
    assert sum(sent) == 60
    assert len({message.to[0] for message in mail.outbox}) == 60
    assert len(mail.outbox) == 60


@pytest.mark.django_db
def test_the_file_backend_writes_a_mail_a_file(settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    queue()
    send_due_mails()
    [path] = tmp_path.iterdir()
    assert "mt_0123456789abcdef" in path.read_text()
