"""Sending a user to the provider's consent page, and redeeming what comes back (RFC 6749 section 4.1, RFC 7636)."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from aiffinity.lib.crypto import Secret
from aiffinity.lib.errors import ConnectionRequired, Detail
from aiffinity.lib.outbound import OutboundError, OutboundResponse
from aiffinity.lib.retention import delete_in_batches
from providers.models import User
from runtime.connections.authority import authority_hash, strategy_settings
from runtime.connections.stored import Content, Grant
from runtime.connections.token_endpoint import (
    GrantRefused,
    client_id_of,
    code_form,
    read_grant,
    require_client,
    token_request,
)
from runtime.models import AuthorizationRequest, RuntimeApp
from runtime.provider_client import send_outside_database
from runtime.sealing import seal, unseal, verifier_name

CALLBACK_PATH = "/v1/space/connections/callback"
LIFETIME = timedelta(minutes=10)
# For a day a user who comes back late is told that the state is too old, and not that it never was.
KEPT_AFTER_END = timedelta(days=1)


@dataclass(frozen=True)
class Authorization:
    """Where the user goes next, and the state that comes back."""

    authorization_url: str
    state: str
    expires_at: datetime


def callback_url(runtime_app: RuntimeApp) -> str:
    """Return the redirect URI that the app's provider registers.

    Each app has its own. With one for all, a provider could send a user who connects with it on to another
    provider's consent page, and would be handed the code that comes back (mix-up, RFC 9700 section 4.4).
    """
    return f"{settings.BASE_URL}{CALLBACK_PATH}/{runtime_app.pk}"


def begin_authorization(runtime_app: RuntimeApp, *, install_id: str, user: User) -> Authorization:
    """Remember a request and return the provider's authorization URL for it.

    PKCE is always S256. Raises INVALID_STATE (409) where the profile has no client_id, or no client_secret where
    its token endpoint asks for one: the user would come back to nothing.
    """
    require_client(runtime_app)
    client_id, section = client_id_of(runtime_app), strategy_settings(runtime_app)
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    request = AuthorizationRequest(
        state_hash=_hash(state),
        install_id=install_id,
        runtime_app=runtime_app,
        user=user,
        authority_hash=authority_hash(runtime_app),
        expires_at=timezone.now() + LIFETIME,
    )
    request.sealed_code_verifier = seal(runtime_app, verifier_name(request), Secret(verifier))
    request.save()
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": callback_url(runtime_app),
        "state": state,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    if section.get("scopes"):
        query["scope"] = " ".join(section["scopes"])
    return Authorization(_with_query(section["authorization_url"], query), state, request.expires_at)


def find_request(state: str, *, app_id: str) -> AuthorizationRequest | None:
    """Return the request of a state that may still be completed with what came back to this app's redirect URI.

    None for every other.
    """
    open_requests = AuthorizationRequest.objects.filter(
        runtime_app_id=app_id, used_at=None, expires_at__gt=timezone.now()
    )
    return open_requests.select_related("runtime_app__app").filter(state_hash=_hash(state)).first()


def redeem_authorization(runtime_app: RuntimeApp, *, install_id: str, user: User, state: str, code: Secret) -> Grant:
    """Use up a request and exchange the code for tokens.

    The state counts once, for the user and install that began it, for ten minutes. Raises
    CONNECTION_REQUIRED (422) with the reason at `state`, or where the provider refuses the code, and the UPSTREAM
    errors.
    """
    require_client(runtime_app)
    verifier = _use_up(runtime_app, install_id=install_id, user=user, state=state)
    form = code_form(code, redirect_uri=callback_url(runtime_app), code_verifier=verifier)
    request = token_request(runtime_app, form)
    outcome: OutboundResponse | OutboundError
    try:
        outcome = send_outside_database(request)
    except OutboundError as failure:
        outcome = failure
    section = strategy_settings(runtime_app)
    earlier = Content(revocation_url=section.get("revocation_url", ""))
    try:
        return read_grant(outcome, asked_scopes=list(section.get("scopes", [])), earlier=earlier)
    except GrantRefused as refused:
        details = [Detail("code", refused.code, "The provider refused the code.")]
        message = "The provider refused the authorization; begin the connection again."
        raise ConnectionRequired(message, details=details) from None


def purge_authorization_requests(now: datetime) -> int:
    """Delete requests that ended a day ago, used or not; return how many it was."""
    return delete_in_batches(AuthorizationRequest.objects.filter(expires_at__lt=now - KEPT_AFTER_END))


def _use_up(runtime_app: RuntimeApp, *, install_id: str, user: User, state: str) -> Secret:
    with transaction.atomic():
        request = (
            AuthorizationRequest.objects.select_for_update(of=("self",))
            .select_related("runtime_app__app")
            .filter(state_hash=_hash(state), install_id=install_id, user=user)
            .first()
        )
        if request is None:
            raise _begin_again("This state was never given to you for this install.", "unknown_state")
        if request.used_at is not None:
            raise _begin_again("This state was used already; begin the connection again.", "used_state")
        if request.expires_at <= timezone.now():
            raise _begin_again("This state is older than ten minutes; begin again.", "expired_state")
        request.used_at = timezone.now()
        request.save(update_fields=["used_at"])
    if request.authority_hash != authority_hash(runtime_app):
        raise _begin_again("The provider changed its setup meanwhile; begin again.", "changed_profile")
    return unseal(request.runtime_app, verifier_name(request), request.sealed_code_verifier)


def _begin_again(message: str, code: str) -> ConnectionRequired:
    return ConnectionRequired(message, details=[Detail("state", code, message)])


def _with_query(url: str, query: dict[str, str]) -> str:
    """Add parameters to the provider's URL, in place of any of the same names that it has."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in query]
    return parts._replace(query=urlencode([*kept, *query.items()]), fragment="").geturl()


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
