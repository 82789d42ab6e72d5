"""Accounts: sign-up, verification of the mail address and login (spec 2 "Accounts, apps, tokens")."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from aiffinity.lib.audit import append_audit
from aiffinity.lib.crypto import hash_token
from aiffinity.lib.errors import Conflict, Detail, EmailTaken, ValidationFailed, field_error
from aiffinity.lib.mails import queue_mail
from aiffinity.lib.ratelimit import Limit, limiter
from providers.identity import SignedIn, identity_backend
from providers.mail_tokens import find_mail_token, make_mail_token, spend_mail_token
from providers.models import Account, MailToken, MailTokenPurpose, User
from providers.throttling import require_allowed

VERIFICATION_LIFE = timedelta(hours=24)
RESEND_PAUSE_SECONDS = 60
MAX_LOGIN_FAILURES = 10
LOGIN_WINDOW_SECONDS = 900
MAX_SIGN_UPS_PER_ADDRESS = 10
MAX_NEW_ADDRESSES = 5
NEW_ADDRESSES_WINDOW_SECONDS = 3600


def register_account(*, company_name: str, email: str, password: str) -> Account:
    """Make a user with an account and send the verification mail.

    Raises ValidationFailed (400) for a weak password, EmailTaken (409), and RateLimited (429) after ten
    attempts for one mail address in 15 minutes.
    """
    key = f"sign-up:{hash_token(email.strip().lower())}"
    require_allowed(limiter.check(Limit(key, MAX_SIGN_UPS_PER_ADDRESS, LOGIN_WINDOW_SECONDS), is_strict=True))
    check_password_strength(password, email=email)
    with transaction.atomic():
        user = identity_backend().create_user(email=email, password=password)
        return _create_account(user, company_name=company_name, email=email)


def register_account_for(user: User, *, company_name: str, email: str | None = None) -> Account:
    """Make an account for a user who holds an ID token, whose address is the contact where none is given.

    Raises ValidationFailed (400) where there is neither, EmailTaken (409) for somebody else's address, and Conflict
    (409) for a user who has an account.
    """
    contact = email or user.email
    if not contact:
        raise field_error("email", "The ID token has no e-mail address; send one.", code="required")
    _require_free(contact, user)
    try:
        with transaction.atomic():
            account = _create_account(user, company_name=company_name, email=contact)
    except IntegrityError:
        raise Conflict("This user has an account already.") from None
    return account


def check_password_strength(password: str, *, email: str) -> None:
    """Raise ValidationFailed (400) with every reason why a password is too weak."""
    try:
        validate_password(password, User(email=email))
    except ValidationError as exc:
        raise ValidationFailed(
            details=[Detail("password", str(e.code), " ".join(e.messages)) for e in exc.error_list]
        ) from None


def verify_email(token: str) -> Account:
    """Use up a token from a mail; raises MailTokenInvalid or MailTokenExpired (400).

    A token that was mailed to a new contact address makes that address the account's, and the old one hears of it.
    """
    row = find_mail_token(token, MailTokenPurpose.VERIFY_EMAIL)
    with transaction.atomic():
        spend_mail_token(row)
        account = row.account
        if account.email_verified_at is not None and account.email != row.email:
            _tell_old_address(account, new_address=row.email)
        account.email, account.email_verified_at = row.email, timezone.now()
        account.save(update_fields=["email", "email_verified_at", "updated_at"])
        if account.owner.email == row.email:
            identity_backend().mark_email_verified(account.owner)
        append_audit(subject=account.pk, action="account.email_verified", actor=f"user:{account.owner_id}")
    return account


def resend_verification(account: Account) -> Account:
    """Send the mail again, at most once a minute; raises Conflict (409) where nothing waits."""
    waiting = pending_email(account)
    if waiting is None:
        raise Conflict("The mail address is verified already.")
    require_allowed(limiter.check(Limit(f"resend:{account.pk}", 1, RESEND_PAUSE_SECONDS), is_strict=True))
    with transaction.atomic():
        _send_verification(account, waiting)
    return account


def pending_email(account: Account) -> str | None:
    """Return the address that still has to be verified, if there is one."""
    newest = _waiting_verifications(account).filter(expires_at__gt=timezone.now()).order_by("-created_at").first()
    if newest is not None:
        return newest.email
    return account.email if account.email_verified_at is None else None


def update_account(account: Account, *, actor: str, **fields: Any) -> Account:
    """Change the given fields; a new contact address waits until it is verified, the present one ends such a wait.

    Raises EmailTaken (409) for an address of somebody else, and RateLimited (429) after five new addresses in an
    hour, as each of them gets a mail.
    """
    new_email = fields.pop("email", None)
    is_present = account.email_verified_at is not None and new_email == account.email
    is_new_email = new_email is not None and not is_present and new_email != pending_email(account)
    if is_new_email:
        limit = Limit(f"new-address:{account.pk}", MAX_NEW_ADDRESSES, NEW_ADDRESSES_WINDOW_SECONDS)
        require_allowed(limiter.check(limit, is_strict=True))
        _require_free(new_email, account.owner)
    for name, value in fields.items():
        setattr(account, name, value)
    with transaction.atomic():
        account.save(update_fields=[*fields, "updated_at"])
        if is_new_email:
            _send_verification(account, new_email)
        elif is_present:
            _waiting_verifications(account).update(used_at=timezone.now())
        append_audit(subject=account.pk, action="account.updated", actor=actor, data={"fields": sorted(fields)})
    return account


def log_in(*, email: str, password: str) -> SignedIn:
    """Sign in; ten attempts without a success in 15 minutes lock the identity (429).

    Attempts are counted before the password is looked at, so that parallel guesses can't overtake the count.
    """
    require_allowed(limiter.check(login_limit(email), is_strict=True))
    signed_in = identity_backend().sign_in(email=email, password=password)
    limiter.forget(login_limit(email))
    return signed_in


def login_limit(email: str) -> Limit:
    """Return what an identity's attempts to log in count against."""
    return Limit(f"login:{hash_token(email.strip().lower())}", MAX_LOGIN_FAILURES, LOGIN_WINDOW_SECONDS)


def _create_account(user: User, *, company_name: str, email: str) -> Account:
    account = Account(owner=user, company_name=company_name, email=email.strip().lower())
    if user.is_email_verified and user.email == account.email:
        account.email_verified_at = timezone.now()
    account.save(force_insert=True)
    append_audit(subject=account.pk, action="account.created", actor=f"user:{user.pk}")
    if account.email_verified_at is None:
        _send_verification(account, account.email)
    return account


def _require_free(email: str, user: User) -> None:
    """Raise EmailTaken (409) where another user logs in with an address, or has proven it as a contact."""
    others = Account.objects.exclude(owner=user).exclude(email_verified_at=None)
    if User.objects.filter(email=email).exclude(pk=user.pk).exists() or others.filter(email=email).exists():
        raise EmailTaken


def _waiting_verifications(account: Account) -> QuerySet[MailToken]:
    return account.mail_tokens.filter(purpose=MailTokenPurpose.VERIFY_EMAIL, used_at=None)


def _send_verification(account: Account, email: str) -> None:
    """Mail a token to an address; what was mailed to others before is good for nothing any more."""
    _waiting_verifications(account).exclude(email=email).update(used_at=timezone.now())
    token = make_mail_token(account, MailTokenPurpose.VERIFY_EMAIL, email=email, life=VERIFICATION_LIFE)
    queue_mail(
        to=email,
        template="verify_email",
        context={
            "company_name": account.company_name,
            "token": token.reveal(),
            "url": f"{settings.BASE_URL}/v1/providers/account/verify",
        },
    )


def _tell_old_address(account: Account, *, new_address: str) -> None:
    queue_mail(
        to=account.email,
        template="contact_changed",
        context={
            "company_name": account.company_name,
            "new_address": new_address,
            "url": f"{settings.BASE_URL}/v1/providers/account",
        },
    )
