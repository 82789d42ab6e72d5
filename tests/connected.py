"""A user's install of a package whose app asks for a connection, and Acme Weather as the provider behind it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from django.conf import settings
from django.utils import timezone

from capabilities.installs import install_package
from capabilities.models import Install
from capabilities.recording import recorder
from examples.acme_weather.access import ADA, Account
from examples.demo.pages import read_page
from providers.models import User
from runtime.auth_profiles import put_auth_profile
from runtime.connections.authorization import callback_url
from runtime.connections.stored import open_content, seal_content
from runtime.models import Connection, Delivery, RuntimeApp
from tests.fakes.switches import SIGNING_SECRET
from tests.published import Published, publish

__all__ = ["acme", "acme_process", "publish", "weather"]

ROOT = Path(__file__).resolve().parents[1]
CLIENT = {"client_id": "aiffinity", "client_secret": "acme-gave-this-to-aiffinity"}
STATIONS: dict[str, Any] = {
    "name": "my_stations",
    "mode": "state",
    "description": "The customer's own weather stations",
    "refresh_interval_seconds": 900,
    "schema": {
        "input": {"type": "object", "properties": {"limit": {"type": "integer"}}, "additionalProperties": False},
        "output": {
            "type": "object",
            "properties": {"account": {"type": "string"}, "stations": {"type": "array", "items": {"type": "string"}}},
            "required": ["account"],
        },
    },
}


@dataclass
class Acme:
    """Acme Weather in a process of its own."""

    url: str

    def control(self, **wanted: Any) -> None:
        """Change what it does."""
        answer = requests.post(f"{self.url}/control", json=wanted, timeout=10)
        assert answer.status_code == 200, answer.text

    def oauth(self) -> dict[str, Any]:
        """Return the state of its authorization server."""
        state: dict[str, Any] = requests.get(f"{self.url}/control/received", timeout=10).json()["oauth"]
        return state

    def requests_for(self, grant_type: str | None, endpoint: str = "token") -> list[dict[str, Any]]:
        """Return what was asked of an endpoint, by grant type."""
        asked = self.oauth()["requests"]
        return [entry for entry in asked if entry["endpoint"] == endpoint and entry["grant_type"] == grant_type]

    def refreshes(self) -> int:
        """Return how many refreshes were asked for."""
        return len(self.requests_for("refresh_token"))


@contextmanager
def running_acme() -> Iterator[Acme]:
    """Run Acme Weather with the tests' signing secret."""
    command = [sys.executable, "-m", "examples.acme_weather"]
    environment = {**os.environ, "ACME_SIGNING_SECRET": SIGNING_SECRET}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Acme(json.loads(process.stdout.readline())["url"])
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def acme_process() -> Iterator[Acme]:
    """Acme Weather, for as long as the tests run."""
    with running_acme() as found:
        yield found


@pytest.fixture
def acme(acme_process: Acme) -> Acme:
    """Acme Weather, as if it had just been started."""
    acme_process.control(forget=True, refuse_calls=False)
    return acme_process


def oauth2(acme: Acme, **fields: Any) -> dict[str, Any]:
    """Return the section of an oauth2 profile for Acme."""
    return {
        "authorization_url": f"{acme.url}/oauth/authorize",
        "token_url": f"{acme.url}/oauth/token",
        "revocation_url": f"{acme.url}/oauth/revoke",
        "scopes": ["weather:read"],
        "pkce_required": True,
        "token_endpoint_auth_method": "client_secret_post",
        "client_id": CLIENT["client_id"],
        **fields,
    }


@dataclass
class Weather:
    """One user's install of Acme's package."""

    api: Any
    acme: Acme
    published: Published
    user: User
    token: str
    install: Install

    @property
    def runtime_app(self) -> RuntimeApp:
        """The app as it is now."""
        return RuntimeApp.objects.select_related("app__account").get(pk=self.published.app.pk)

    @property
    def connection(self) -> Connection:
        """The install's connection as it is now."""
        return Connection.objects.select_related("runtime_app__app").get(install_id=self.install.pk)

    def set_profile(self, strategy: str, section: dict[str, Any], *, is_approved: bool = True, **secrets: Any) -> None:
        """Set the auth profile, as it was approved unless said otherwise."""
        profile = {"strategy": strategy, strategy: section}
        changed = put_auth_profile(self.runtime_app, actor="test", profile=profile, given_secrets=secrets)
        if is_approved:
            self.published.set_version(approved_config_hash=changed.config_hash)

    def call(self, method: str, path: str = "", body: Any = None, **kwargs: Any) -> Any:
        """Call the install's connection as the user."""
        full = f"/v1/space/installs/{self.install.pk}/connection{path}"
        return self.api(method, full, body, **{"token": self.token, **kwargs})

    def begin(self) -> dict[str, str]:
        """Begin an authorization."""
        response = self.call("POST", body={})
        assert response.status_code == 200, response.content
        data: dict[str, str] = response.json()["data"]
        return data

    def complete(self, state: str, code: str, **kwargs: Any) -> Any:
        """Complete an authorization."""
        return self.call("POST", "/complete", {"code": code, "state": state}, **kwargs)

    def connect(self, account: Account = ADA) -> Connection:
        """Go the whole way of OAuth."""
        response = self.complete(**consent(self.begin()["authorization_url"], account))
        assert response.status_code == 200, response.content
        return self.connection

    def invoke(self, **params: Any) -> Any:
        """Ask for the stations; never from the cache."""
        path = f"/v1/providers/capabilities/{self.published.capability_id('my_stations')}/invoke"
        return self.api.post(path, {"params": params}, token=self.token, headers={"Cache-Control": "no-cache"})

    def events(self) -> list[str]:
        """Return the types of events about connections, oldest first."""
        rows = Delivery.objects.filter(event__type__startswith="connection.").order_by("event__pk")
        return list(rows.values_list("event__type", flat=True))

    def age(self, *, by: timedelta) -> None:
        """Let time pass for the connection."""
        row = self.connection
        times = {name: getattr(row, name) for name in ("expires_at", "next_attempt_at", "revoke_until", "updated_at")}
        moved = {name: value - by for name, value in times.items() if value is not None}
        Connection.objects.filter(pk=row.pk).update(**moved, lease_until=None)

    def make_due(self) -> None:
        """Make the next attempt due."""
        Connection.objects.filter(install_id=self.install.pk).update(next_attempt_at=timezone.now())


def copy_connection(row: Connection, install_id: str, *, runtime_app: RuntimeApp | None = None) -> Connection:
    """Make one more connection with the tokens of another, for another install or app."""
    made = Connection(install_id=install_id, runtime_app=runtime_app or row.runtime_app, user=row.user)
    made.strategy, made.authority_hash, made.connected_at = row.strategy, row.authority_hash, row.connected_at
    made.status, made.next_attempt_at, made.revoke_until = row.status, row.next_attempt_at, row.revoke_until
    made.sealed_content = seal_content(made, open_content(row))
    made.save()
    return made


@pytest.fixture
def weather(
    api: Any,
    acme: Acme,
    publish: Callable[..., Published],
    make_user: Callable[..., User],
    id_token: Callable[..., str],
) -> Iterator[Weather]:
    """Return a user with an install whose app connects by OAuth and subscribed to every event."""
    published = publish(STATIONS, runtime_url=f"{acme.url}/aiffinity", webhook_url=f"{acme.url}/webhooks/aiffinity")
    user = make_user()
    yield weather_of(api, acme, published, user, id_token(user))
    recorder.flush()


def weather_of(api: Any, acme: Acme, published: Published, user: User, token: str) -> Weather:
    """Install a package for a user and have its app connect by OAuth at Acme."""
    install, _ = install_package(user, published.package, actor="test")
    made = Weather(api, acme, published, user, token, install)
    acme.control(oauth_client={"redirect_uri": callback_url(made.runtime_app)})
    made.set_profile("oauth2", oauth2(acme), client_secret=CLIENT["client_secret"])
    return made


def consent_page(url: str) -> requests.Response:
    """Open the consent page as a browser would."""
    return requests.get(url, timeout=10, allow_redirects=False)


def consent(url: str, account: Account = ADA, decision: str = "approve") -> dict[str, str]:
    """Fill in the consent page as a browser would; return what the callback gets."""
    page = consent_page(url)
    assert page.status_code == 200, page.text
    [form] = read_page(url, 200, page.text).forms
    sent = {**form.fields, "email": account.email, "password": account.password, "decision": decision}
    answer = requests.post(form.url, data=sent, timeout=10, allow_redirects=False)
    assert answer.status_code == 303, answer.text
    address, _, query = answer.headers["Location"].partition("?")
    assert address.startswith(f"{settings.BASE_URL}/v1/space/connections/callback/app_")
    return dict(parse_qsl(query))
