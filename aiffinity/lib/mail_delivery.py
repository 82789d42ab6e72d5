"""Sending queued mails: claim under a lease, send outside of any transaction, delete or put off."""

import logging
from datetime import timedelta

import orjson
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from aiffinity.lib.crypto import keyring
from aiffinity.lib.models import OutgoingMail

logger = logging.getLogger(__name__)

# With the mail server's time limit of 10 s a batch ends within its lease.
MAILS_A_BATCH = 20
LEASE = timedelta(minutes=5)
FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(hours=24)


def send_due() -> int:
    """Send what is due, batch after batch; returns how many mails went out."""
    sent = 0
    while batch := _claim():
        sent += sum(_send(mail) for mail in batch)
    return sent


def _claim() -> list[OutgoingMail]:
    """Take due mails out of the other workers' sight for the time of a lease."""
    now = timezone.now()
    with transaction.atomic():
        due = OutgoingMail.objects.filter(next_attempt_at__lte=now).order_by("next_attempt_at")
        batch = list(due.select_for_update(skip_locked=True)[:MAILS_A_BATCH])
        OutgoingMail.objects.filter(pk__in=[mail.pk for mail in batch]).update(
            next_attempt_at=now + LEASE, attempts_made=F("attempts_made") + 1
        )
    for mail in batch:
        mail.attempts_made += 1
    return batch


def _send(mail: OutgoingMail) -> bool:
    """Send one claimed mail; a worker whose lease ran out meanwhile leaves the row to the next one."""
    mine = OutgoingMail.objects.filter(pk=mail.pk, attempts_made=mail.attempts_made)
    try:
        _message(mail).send()
    except (OSError, ValueError) as exc:
        # smtplib's errors are OSErrors; a ValueError is a body that doesn't open or a malformed header.
        _put_off(mail, reason=type(exc).__name__)
        return False
    mine.delete()
    return True


def _message(mail: OutgoingMail) -> EmailMultiAlternatives:
    body = orjson.loads(keyring().decrypt(mail.sealed_body, context=mail.pk).reveal())
    message = EmailMultiAlternatives(mail.subject, body["text"], to=[mail.to])
    message.attach_alternative(body["html"], "text/html")
    return message


def _put_off(mail: OutgoingMail, *, reason: str) -> None:
    mine = OutgoingMail.objects.filter(pk=mail.pk, attempts_made=mail.attempts_made)
    now = timezone.now()
    if now - mail.created_at > GIVE_UP_AFTER:
        logger.error("a mail was given up", extra={"mail_id": mail.pk, "reason": reason})
        mine.delete()
        return
    delay = min(FIRST_DELAY * 2 ** min(mail.attempts_made - 1, 10), LONGEST_DELAY)
    logger.warning("a mail could not be sent", extra={"mail_id": mail.pk, "reason": reason})
    mine.update(next_attempt_at=now + delay)
