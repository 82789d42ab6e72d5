"""What a provider has to remember: which actions it did, and which events it has seen."""

import json
import sqlite3
import threading
import uuid
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
    task_id TEXT PRIMARY KEY, user_id TEXT NOT NULL, idempotency_key TEXT, params TEXT NOT NULL,
    UNIQUE (user_id, idempotency_key)
);
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY, event_id TEXT, is_duplicate INTEGER NOT NULL, delivery TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS deliveries_event_id ON deliveries (event_id);
"""


class KeyReusedError(Exception):
    """One idempotency key came with two different requests."""


class Store:
    """Tasks and webhook deliveries in one SQLite file, or in memory; safe for many threads."""

    def __init__(self, path: str = ":memory:") -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file; nothing may be asked of the store afterwards."""
        with self._lock:
            self._db.close()

    def add_task(self, *, user_id: str, idempotency_key: str | None, params: dict[str, Any]) -> str:
        """Make a task and return its id; a user's known key returns the task that it made.

        Raises KeyReusedError when the key came with other params before.
        """
        wanted = json.dumps(params, sort_keys=True)
        with self._lock:
            known = self._db.execute(
                "SELECT task_id, params FROM tasks WHERE user_id = ? AND idempotency_key = ?",
                (user_id, idempotency_key),
            ).fetchone()
            if known is None:
                task_id = f"task_{uuid.uuid4().hex}"
                row = (task_id, user_id, idempotency_key, wanted)
                self._db.execute("INSERT INTO tasks VALUES (?, ?, ?, ?)", row)
                return task_id
        if known[1] != wanted:
            raise KeyReusedError
        return str(known[0])

    def count_tasks(self) -> int:
        """Return how many tasks were made."""
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM tasks").fetchone()[0])

    def add_delivery(self, *, event_id: str | None, delivery: dict[str, Any]) -> bool:
        """Keep a webhook delivery and tell whether its event was there already.

        A refused delivery has no event id: nobody knows who wrote the body, so it must not make
        the true event look like a duplicate.
        """
        with self._lock:
            seen = self._db.execute("SELECT 1 FROM deliveries WHERE event_id = ?", (event_id,)).fetchone()
            self._db.execute(
                "INSERT INTO deliveries (event_id, is_duplicate, delivery) VALUES (?, ?, ?)",
                (event_id, seen is not None, json.dumps(delivery)),
            )
        return seen is not None

    def deliveries(self) -> list[dict[str, Any]]:
        """Return all deliveries, oldest first, each with its event id and whether it was a duplicate."""
        with self._lock:
            rows = self._db.execute(
                "SELECT event_id, is_duplicate, delivery FROM deliveries ORDER BY number"
            ).fetchall()
        return [{"id": row[0], "is_duplicate": bool(row[1]), **json.loads(row[2])} for row in rows]
