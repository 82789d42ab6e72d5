"""Fixtures of the tests that go through every room."""

from tests.connected import acme, acme_process, weather
from tests.flows.browser import chromium, make_staff, open_window
from tests.flows.world import publish, world
from tests.packages.conftest import maker

__all__ = ["acme", "acme_process", "chromium", "make_staff", "maker", "open_window", "publish", "weather", "world"]
