"""Tokens in mails: made, found and spent; each is good once, for one purpose (spec 6 "single-use tokens")."""

from datetime import timedelta

from django.utils import timezone

from aiffinity.lib.crypto import Secret, hash_token, new_token
from aiffinity.lib.errors import MailTokenExpired, MailTokenInvalid
from providers.models import Account, MailToken, MailTokenPurpose


def make_mail_token(account: Account, purpose: MailTokenPurpose, *, email: str, life: timedelta) -> Secret:
    """Make a token that is mailed to an address."""
    token = new_token("mt_")
    MailToken.objects.create(
        token_hash=hash_token(token.reveal()),
        purpose=purpose,
        account=account,
        email=email.strip().lower(),
        expires_at=timezone.now() + life,
    )
    return token


def find_mail_token(token: str, purpose: MailTokenPurpose) -> MailToken:
    """Return the row of a token that is still good; raises MailTokenInvalid or MailTokenExpired (400)."""
    rows = MailToken.objects.filter(token_hash=hash_token(token), purpose=purpose, used_at=None)
    row = rows.select_related("account__owner").first()
    if row is None:
        raise MailTokenInvalid
    if row.expires_at <= timezone.now():
        raise MailTokenExpired
    return row


def spend_mail_token(token: MailToken) -> None:
    """Use a token up and end the account's others of its purpose; raises MailTokenInvalid (400) if one was faster.

    To be called inside a transaction: the account's row is locked, so that two tokens can't both be first.
    """
    Account.objects.select_for_update(no_key=True).get(pk=token.account_id)
    waiting = MailToken.objects.filter(account=token.account_id, purpose=token.purpose, used_at=None)
    if token.pk not in waiting.values_list("pk", flat=True):
        raise MailTokenInvalid
    waiting.update(used_at=timezone.now())
