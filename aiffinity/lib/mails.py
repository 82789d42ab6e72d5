"""The mail queue: a mail is a row of the transaction that asks for it; a worker sends it (spec 6 "outbox")."""

from typing import Any

import orjson
from django.template.loader import render_to_string
from django.utils import timezone

from aiffinity.lib.crypto import Secret, keyring
from aiffinity.lib.ids import new_id
from aiffinity.lib.models import OutgoingMail
from aiffinity.lib.wakeups import wake_on_commit

BODY_PARTS = (("text", "txt"), ("html", "html"))


def queue_mail(*, to: str, template: str, context: dict[str, Any]) -> OutgoingMail:
    """Write a mail into the queue, inside the caller's transaction, and wake a worker once that commits.

    `template` names three files below templates/mails: `.subject.txt`, `.txt` and `.html`. A mail to nobody (an empty
    `to`) costs the same and goes nowhere: callers must not be able to tell by the time whom the platform knows.
    """
    subject = " ".join(render_to_string(f"mails/{template}.subject.txt", context).split())
    body = {kind: render_to_string(f"mails/{template}.{suffix}", context) for kind, suffix in BODY_PARTS}
    mail_id, now = new_id("mail"), timezone.now()
    sealed = keyring().encrypt(Secret(orjson.dumps(body).decode()), context=mail_id)
    mail = OutgoingMail.objects.create(
        id=mail_id, to=to, subject=subject, sealed_body=sealed, next_attempt_at=now, created_at=now
    )
    wake_on_commit("aiffinity.lib.tasks.send_due_mails")
    return mail
