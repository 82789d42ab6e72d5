"""What the room keeps for a while only: tokens and client secrets that are good for nothing any more."""

from datetime import datetime, timedelta

from aiffinity.lib.retention import delete_in_batches
from providers.models import ClientSecret, MailToken, RefreshToken, RevokedToken, SigningKey

# Who opens the mail late is told that its token is too old, and not that it never was.
MAIL_TOKENS_KEPT = timedelta(days=7)
# Longer than any token that such a key signed is good for.
RETIRED_KEYS_KEPT = timedelta(hours=24)
# A host whose clock is behind takes a token for current a little longer.
REVOCATIONS_KEPT = timedelta(minutes=5)


def purge_mail_tokens(now: datetime) -> int:
    """Delete the tokens of mails that expired a week ago, used or not."""
    return delete_in_batches(MailToken.objects.filter(expires_at__lt=now - MAIL_TOKENS_KEPT))


def purge_refresh_tokens(now: datetime) -> int:
    """Delete the refresh tokens that expired; until then a used one is kept, so that its replay is noticed."""
    return delete_in_batches(RefreshToken.objects.filter(expires_at__lt=now))


def purge_revoked_tokens(now: datetime) -> int:
    """Delete the records of revoked access tokens that have expired since."""
    return delete_in_batches(RevokedToken.objects.filter(expires_at__lt=now - REVOCATIONS_KEPT))


def purge_client_secrets(now: datetime) -> int:
    """Delete the client secrets whose grace period is over."""
    return delete_in_batches(ClientSecret.objects.filter(expires_at__lt=now))


def purge_signing_keys(now: datetime) -> int:
    """Delete the signing keys that were retired a day ago: one that leaked is trusted no longer than that."""
    return delete_in_batches(SigningKey.objects.filter(retired_at__lt=now - RETIRED_KEYS_KEPT))
