"""Fixtures of the capabilities room: an installed package of a running provider."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from capabilities.installs import install_package
from capabilities.models import Install
from capabilities.recording import recorder
from providers.models import User
from tests.fakes import FakeProvider
from tests.published import Published, publish

__all__ = ["publish"]

CAPABILITIES = "/v1/providers/capabilities"


@dataclass
class Installed:
    """A user's install of a published package, and calls of its capabilities as that user."""

    published: Published
    user: User
    token: str
    install: Install
    api: Any

    def path(self, verb: str, name: str = "current_weather") -> str:
        """Return the path of a call."""
        return f"{CAPABILITIES}/{self.published.capability_id(name)}/{verb}"

    def invoke(self, params: Any = None, name: str = "current_weather", **kwargs: Any) -> Any:
        """Invoke as the user."""
        body = {} if params is None else {"params": params}
        return self.api.post(self.path("invoke", name), body, **{"token": self.token, **kwargs})

    def act(self, params: Any = None, **body: Any) -> Any:
        """Create a task as the user."""
        content = {"params": {"title": "Take an umbrella"} if params is None else params, **body}
        return self.api.post(self.path("action", "create_task"), content, token=self.token)


@pytest.fixture(autouse=True)
def _clean_process() -> Iterator[None]:
    """Leave no record waiting for the next test."""
    yield
    recorder.flush()


@pytest.fixture
def install(api: Any, make_user: Callable[..., User], id_token: Callable[..., str]) -> Callable[[Published], Installed]:
    """Return a function that installs a package for a fresh user."""

    def make(published: Published, user: User | None = None) -> Installed:
        consumer = user or make_user()
        row, _ = install_package(consumer, published.package, actor="test")
        return Installed(published, consumer, id_token(consumer), row, api)

    return make


@pytest.fixture
def installed(
    publish: Callable[..., Published], install: Callable[..., Installed], fake_provider: FakeProvider
) -> Installed:
    """Acme Weather's package, running and installed."""
    return install(publish(runtime_url=fake_provider.runtime_url))
