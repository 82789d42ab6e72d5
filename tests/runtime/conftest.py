"""Fixtures of the runtime room: an account with a registered app, and bodies as the documents print them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from providers.models import Account, App
from runtime.models import RuntimeApp

APPS = "/v1/providers/runtime/apps"
REGISTRATION = {
    "name": "Acme Weather",
    "description": "Real-time weather data and forecasts",
    "homepage_url": "https://acmeweather.com",
    "runtime_url": "https://api.acmeweather.com/aiffinity",
    "redirect_uris": ["https://acmeweather.com/callback"],
    "webhook_url": "https://acmeweather.com/webhooks/aiffinity",
    "health_check_url": "https://acmeweather.com/health",
    "logo_url": "https://acmeweather.com/logo-512.png",
}


@dataclass
class Registered:
    """A registered app, with a caller bound to its account's ID token and to its path."""

    account: Account
    token: str
    answer: dict[str, Any]
    api: Any

    @property
    def app_id(self) -> str:
        """The app's id."""
        return str(self.answer["app_id"])

    @property
    def runtime_app(self) -> RuntimeApp:
        """The row as it is now."""
        return RuntimeApp.objects.select_related("app__account").get(pk=self.app_id)

    def __call__(self, method: str, path: str = "", body: Any = None, **kwargs: Any) -> Any:
        """Send a request to a path below the app."""
        return self.api(method, f"{APPS}/{self.app_id}{path}", body, **{"token": self.token, **kwargs})


@pytest.fixture
def register(api: Any, make_account: Callable[..., Account], id_token: Callable[..., str]) -> Callable[..., Registered]:
    """Return a function that registers an app over HTTP for a fresh account, or for a given one."""

    def make(account: Account | None = None, **fields: Any) -> Registered:
        owner = account or make_account()
        token = id_token(owner)
        response = api.post(APPS, {**REGISTRATION, **fields}, token=token)
        assert response.status_code == 201, response.content
        return Registered(owner, token, response.json()["data"], api)

    return make


@pytest.fixture
def registered(register: Callable[..., Registered]) -> Registered:
    """Acme Weather, registered with the documents' body."""
    return register()


@pytest.fixture
def stranger(make_account: Callable[..., Account], id_token: Callable[..., str]) -> str:
    """An ID token of another account."""
    return id_token(make_account("Other Company"))


@pytest.fixture
def app_token(make_app: Callable[..., App], access_token: Callable[..., str]) -> Callable[[Account], str]:
    """Return a function that issues an access token of another app of the same account."""
    return lambda account: access_token(make_app(account, name="Console"))


def error_of(response: Any) -> dict[str, Any]:
    """Return an answer's error."""
    error: dict[str, Any] = response.json()["error"]
    return error
