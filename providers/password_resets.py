"""Passwords that were forgotten: a mail to the login address, and a new password for its token (spec 2, spec 6)."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from aiffinity.lib.audit import append_audit
from aiffinity.lib.crypto import hash_token
from aiffinity.lib.errors import MailTokenInvalid
from aiffinity.lib.mails import queue_mail
from aiffinity.lib.ratelimit import Limit, limiter
from providers.accounts import check_password_strength, login_limit
from providers.identity import identity_backend
from providers.mail_tokens import find_mail_token, make_mail_token, spend_mail_token
from providers.models import Account, MailTokenPurpose
from providers.throttling import require_allowed

RESET_LIFE = timedelta(hours=1)
MAX_RESETS_PER_ADDRESS = 5
RESETS_WINDOW_SECONDS = 3600


def request_password_reset(email: str) -> None:
    """Mail a token to who logs in with an address; whether anybody does shows neither in the answer nor in its time.

    An address that nobody has gets the same work done: a mail to nobody. Staff are nobody here: their password
    opens the console, and an administrator sets it. Raises RateLimited (429) after five requests in an hour.
    """
    limit = Limit(f"password-reset:{hash_token(email)}", MAX_RESETS_PER_ADDRESS, RESETS_WINDOW_SECONDS)
    require_allowed(limiter.check(limit, is_strict=True))
    account = _accounts_of(email).first()
    with transaction.atomic():
        token = account and make_mail_token(account, MailTokenPurpose.RESET_PASSWORD, email=email, life=RESET_LIFE)
        queue_mail(
            to=email if account else "",
            template="reset_password",
            context={
                "company_name": account.company_name if account else "",
                "token": token.reveal() if token else "",
                "url": f"{settings.BASE_URL}/v1/providers/account/password-reset/confirm",
            },
        )


def reset_password(*, token: str, password: str) -> Account:
    """Set a new password for the token out of the mail, log the user out everywhere and end a login lock.

    Who became staff since the mail is nobody here either. Raises MailTokenInvalid or MailTokenExpired (400), and
    ValidationFailed (400) for a weak password, which leaves the token good.
    """
    row = find_mail_token(token, MailTokenPurpose.RESET_PASSWORD)
    account, user = row.account, row.account.owner
    if not _accounts_of(row.email).filter(pk=account.pk).exists():
        raise MailTokenInvalid
    check_password_strength(password, email=row.email)
    with transaction.atomic():
        spend_mail_token(row)
        identity_backend().set_password(user, password)
        append_audit(subject=account.pk, action="account.password_reset", actor=f"user:{user.pk}")
        _tell_of_new_password(account, row.email)
    limiter.forget(login_limit(row.email))
    return account


def _accounts_of(email: str) -> QuerySet[Account]:
    """Return the account of who logs in with an address and may set a password by mail."""
    return Account.objects.filter(owner__email=email, owner__is_active=True, owner__is_staff=False)


def _tell_of_new_password(account: Account, login_address: str) -> None:
    """Write to the login address, and to the contact address: whoever reset it may read the mail of one of them."""
    contact = {account.email} if account.email_verified_at else set()
    for address in sorted({login_address} | contact):
        queue_mail(to=address, template="password_changed", context={"company_name": account.company_name})
