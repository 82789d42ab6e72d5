"""Fault runs: what the platform does while a worker, Redis or PostgreSQL fails, and beside bad neighbours.

`python -m bench.faults [NAME…]` starts a platform of its own for each run: database, broker, beat, worker, web
server, and a sink that checks every id, signature and byte. It breaks one thing, and prints what came of it beside
the bars of docs/reliability.md. `--short` runs the same in a fraction of the time.
"""
