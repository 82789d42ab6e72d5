"""Fixtures of connections: Acme Weather, and a user's install of its package."""

from tests.connected import acme, acme_process, publish, weather

__all__ = ["acme", "acme_process", "publish", "weather"]
