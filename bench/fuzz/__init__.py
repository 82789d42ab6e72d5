"""Fuzz: schemathesis calls every operation of the OpenAPI document with what it makes up, as each kind of caller.

`python -m bench.fuzz` starts a platform of its own with the demo's story on it, so that there are real ids to call
with, and prints the server errors and contract violations beside their bars, which are 0.
"""
