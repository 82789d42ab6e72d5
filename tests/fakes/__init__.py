"""Fakes that speak real HTTP; `pytest_plugins = ["tests.fakes"]` brings the fixture."""

from collections.abc import Iterator

import pytest

from tests.fakes.provider import FakeProvider
from tests.fakes.recording import RecordedRequest
from tests.fakes.switches import Reply, WebhookStep

__all__ = ["FakeProvider", "RecordedRequest", "Reply", "WebhookStep", "fake_provider"]


@pytest.fixture
def fake_provider() -> Iterator[FakeProvider]:
    """A running provider without a fault."""
    with FakeProvider() as provider:
        yield provider
