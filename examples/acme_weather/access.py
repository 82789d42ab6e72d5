"""Whose account at Acme a call speaks for: by access token, API key, or subdomain and API token."""

import hmac
from dataclasses import dataclass
from typing import Any

from examples.acme_weather.capabilities import ProviderError
from examples.acme_weather.oauth_store import OAuthStore


@dataclass(frozen=True)
class Account:
    """A customer of Acme Weather with all the ways to prove who they are."""

    email: str
    password: str
    api_key: str
    subdomain: str
    api_token: str


# A provider has a table of these, and keeps passwords hashed.
ADA = Account("ada@example.com", "clouds-over-oslo", "acme-key-of-ada-5f2c", "ada", "acme-token-of-ada-81d0")
BEN = Account("ben@example.com", "rain-on-bergen", "acme-key-of-ben-c97e", "ben", "acme-token-of-ben-3ab6")
ACCOUNTS = (ADA, BEN)
# What the platform's validation calls with: an account of Acme's own, which no customer has.
TEST_TOKEN = "acme-token-for-the-platforms-tests-7d1b"  # noqa: S105
TEST_ACCOUNT = "tests@acmeweather.com"


class Access:
    """Finds the account behind what a call carries; `refuses_calls` takes every token for ended."""

    def __init__(self, tokens: OAuthStore) -> None:
        self._tokens = tokens
        self.refuses_calls = False

    def account_of(self, headers: Any, context: dict[str, Any]) -> str | None:
        """Return the account's address, None where the call carries nothing.

        Raises ProviderError `access_refused` (401) for what is wrong, ended or revoked.
        """
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        credentials = context.get("credentials") or {}
        if scheme.lower() == "bearer":
            found = None if self.refuses_calls else self._account_of_token(token)
        elif headers.get("X-Api-Key"):
            found = account_of_key(headers["X-Api-Key"])
        elif credentials:
            found = account_of_fields(str(credentials.get("subdomain")), str(credentials.get("api_token")))
        else:
            return None
        if found is None:
            raise ProviderError(401, "access_refused", "The token, key or credentials are not good (any more).")
        return found

    def _account_of_token(self, token: str) -> str | None:
        return TEST_ACCOUNT if _is_equal(TEST_TOKEN, token) else self._tokens.account_of(token)


def log_in(email: str, password: str) -> str | None:
    """Return the address of the account whose password it is."""
    return _first(account for account in ACCOUNTS if account.email == email and _is_equal(account.password, password))


def account_of_key(api_key: str) -> str | None:
    """Return the address of the account whose key it is."""
    return _first(account for account in ACCOUNTS if _is_equal(account.api_key, api_key))


def account_of_fields(subdomain: str, api_token: str) -> str | None:
    """Return the address of the account whose subdomain and token they are."""
    own = (account for account in ACCOUNTS if account.subdomain == subdomain)
    return _first(account for account in own if _is_equal(account.api_token, api_token))


def _first(accounts: Any) -> str | None:
    return next((account.email for account in accounts), None)


def _is_equal(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode(errors="replace"))
