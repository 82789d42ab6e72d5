"""Fixtures of the tests that go through every room."""

from tests.flows.world import publish, world

__all__ = ["publish", "world"]
