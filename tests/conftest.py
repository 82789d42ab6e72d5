"""Fixtures of every test: a client over the whole middleware stack, accounts, apps and tokens."""

import itertools
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import orjson
import pytest
import pytest_django
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core import mail
from django.test import Client
from django.utils import timezone
from joserfc._rfc7517 import pem
from joserfc.jwk import RSAKey

from aiffinity.lib.mail_delivery import send_due
from aiffinity.lib.ratelimit import redis_client
from providers import oauth, signing_keys
from providers.accounts import register_account
from providers.applications import create_app
from providers.identity.local import sign_id_token
from providers.models import Account, App, User
from providers.tokens import verified_tokens
from tests.database_reset import keep_migrated_rows, resetting_quickly

pytest_plugins = ["tests.fakes"]

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


class Api:
    """Calls the API as a client would: JSON bodies, bearer tokens, extra headers."""

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=False)

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str = "",
        headers: dict[str, str] | None = None,
    ) -> Any:
        """Send one request; a `bytes` body goes out as it is."""
        given = dict(headers or {})
        if token:
            given["Authorization"] = f"Bearer {token}"
        content_type = given.pop("Content-Type", "application/json")
        raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        return self.client.generic(method, path, raw, content_type=content_type, headers=given)

    def get(self, path: str, **kwargs: Any) -> Any:
        """GET."""
        return self("GET", path, **kwargs)

    def post(self, path: str, body: Any = None, **kwargs: Any) -> Any:
        """POST."""
        return self("POST", path, body, **kwargs)

    def put(self, path: str, body: Any = None, **kwargs: Any) -> Any:
        """PUT."""
        return self("PUT", path, body, **kwargs)

    def patch(self, path: str, body: Any = None, **kwargs: Any) -> Any:
        """PATCH."""
        return self("PATCH", path, body, **kwargs)

    def delete(self, path: str, body: Any = None, **kwargs: Any) -> Any:
        """DELETE."""
        return self("DELETE", path, body, **kwargs)


@pytest.fixture
def api() -> Api:
    """Return a client of the API."""
    return Api()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    """Reset the database after a transactional test faster than Django flushes it."""
    with django_db_blocker.unblock():
        keep_migrated_rows()
    with resetting_quickly():
        yield


@pytest.fixture(autouse=True, scope="session")
def _quick_rsa_keys() -> Iterator[None]:
    """Make two RSA keys a process, give them out in turn, and check each once: both cost 100 ms and more."""
    made = [RSAKey.generate_key(2048, private=True).as_pem(private=True) for _ in range(2)]
    in_turn = itertools.cycle(made)

    def generate_key(size: int, parameters: Any = None, *, private: bool) -> RSAKey:
        return RSAKey.import_key(next(in_turn), parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RSAKey, "generate_key", staticmethod(generate_key))
        patch.setattr(pem, "load_pem_private_key", cache(load_pem_private_key))
        yield


@pytest.fixture(autouse=True, scope="session")
def _quick_password_hashes() -> Iterator[None]:
    """Hash passwords as production does but with little work; 250 ms each would be a tenth of a run."""
    with pytest.MonkeyPatch.context() as patch:
        for name, least in (("time_cost", 1), ("memory_cost", 64), ("parallelism", 1)):
            patch.setattr(Argon2PasswordHasher, name, least)
        yield


@pytest.fixture(autouse=True)
def _fresh_process() -> None:
    """Start every test without rate limits used up (each worker has a Redis database) and without cached keys."""
    redis_client().flushdb()
    signing_keys.forget_cached_keys()
    verified_tokens.clear()


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    """Return a factory of users with a verified address."""

    def make(email: str | None = None, **fields: Any) -> User:
        address = email or f"user{next(_numbers)}@example.com"
        return User.objects.create_user(address, None, is_email_verified=True, **fields)

    return make


@pytest.fixture
def make_account(db: None) -> Callable[..., Account]:
    """Return a factory of accounts, verified unless said otherwise."""

    def make(company_name: str = "Acme Weather", *, verified: bool = True, **fields: Any) -> Account:
        user = User.objects.create_user(f"dev{next(_numbers)}@example.com", None)
        return Account.objects.create(
            owner=user,
            company_name=company_name,
            email=user.email or "",
            email_verified_at=timezone.now() if verified else None,
            **{"plan_tier": "enterprise", **fields},
        )

    return make


@pytest.fixture
def sign_up(db: None) -> Callable[..., Account]:
    """Return a function that signs an account up with a password, as the API does."""

    def make(email: str = "dev@acmeweather.com", company_name: str = "Acme Weather") -> Account:
        return register_account(company_name=company_name, email=email, password=PASSWORD)

    return make


@pytest.fixture
def mail_tokens() -> Callable[[str], list[str]]:
    """Return a function that lists the tokens mailed to an address so far."""

    def tokens(address: str) -> list[str]:
        send_due()
        bodies = [str(message.body) for message in mail.outbox if address in message.to]
        return [found[0] for body in bodies if (found := re.findall(r"mt_[A-Za-z0-9_-]+", body))]

    return tokens


@pytest.fixture
def id_token() -> Callable[[Account | User], str]:
    """Return a function that signs an ID token for a user or an account's owner."""

    def make(owner: Account | User) -> str:
        return sign_id_token(owner.owner if isinstance(owner, Account) else owner)

    return make


@pytest.fixture
def make_app(db: None) -> Callable[..., App]:
    """Return a factory of apps; `plain_client_secret` is set on what it returns."""

    def make(account: Account, **fields: Any) -> App:
        app, secret = create_app(account, actor="test", **{"name": "Acme Weather", **fields})
        app.plain_client_secret = secret.reveal()  # type: ignore[attr-defined]
        return app

    return make


@pytest.fixture
def access_token() -> Callable[..., str]:
    """Return a function that issues an access token for an app."""

    def make(app: App, scope: str = "") -> str:
        server = oauth.make_server()
        client = oauth.Client(app)
        token = server.generate_token("client_credentials", client, scope=client.get_allowed_scope(scope))
        return str(token["access_token"])

    return make
