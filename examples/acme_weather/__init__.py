"""Acme Weather, a small provider to read, run and start your own from."""
