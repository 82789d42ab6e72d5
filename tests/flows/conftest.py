"""Fixtures of the tests that go through every room."""

from tests.flows.browser import chromium, make_staff, open_window
from tests.flows.world import publish, world
from tests.packages.conftest import maker

__all__ = ["chromium", "make_staff", "maker", "open_window", "publish", "world"]
