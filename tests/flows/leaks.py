"""Where a secret may turn up: answers, the database, Redis, logs and the admin, each as plain texts."""

import base64
import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from aiffinity.lib.logs import JsonFormatter
from aiffinity.lib.ratelimit import redis_client
from providers.models import User

Places = Iterator[tuple[str, str]]


@dataclass
class Canaries:
    """Secrets by name, which answer may show each, and every answer so far.

    A secret that is given is in no answer at all; one that is shown is in the answer that made it alone.
    """

    api: Any
    values: dict[str, str] = field(default_factory=dict)
    shown_in: dict[str, int] = field(default_factory=dict)
    answers: list[tuple[str, str]] = field(default_factory=list)

    def give(self, name: str) -> str:
        """Make a secret that the caller chooses."""
        self.values[name] = f"canary-{name}-0f9Xq7Zw3Lk8Tb2V"
        return self.values[name]

    def give_signing_secret(self, name: str) -> str:
        """Make a secret in the form of Standard Webhooks that the caller chooses."""
        self.values[name] = f"whsec_{base64.b64encode(self.give(name).encode()).decode()}"
        return self.values[name]

    def show(self, name: str, value: str) -> str:
        """Take note of a secret that the last answer shows."""
        self.values[name], self.shown_in[name] = value, len(self.answers) - 1
        return value

    def call(self, method: str, path: str, body: Any = None, **kwargs: Any) -> Any:
        """Call the API and keep the answer for the hunt."""
        response = self.api(method, path, body, **kwargs)
        head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        self.answers.append((f"{method} {path} {response.status_code}", f"{head}\n{response.content.decode()}"))
        return response

    def call_twice(self, path: str, body: Any, shows: dict[str, str], **kwargs: Any) -> dict[str, Any]:
        """POST twice under one key; the first answer `shows` members, which the replayed one leaves out."""
        key = {"Idempotency-Key": f"key-{len(self.answers)}"}
        response = self.call("POST", path, body, headers=key, **kwargs)
        data: dict[str, Any] = response.json()["data"]
        for member, name in shows.items():
            self.show(name, data[member])
        assert self.call("POST", path, body, headers=key, **kwargs).headers["Idempotency-Replayed"] == "true"
        return data

    def leaks_in(self, places: Places) -> list[tuple[str, str]]:
        """Return secret and place wherever one is found."""
        return [(name, place) for place, text in places for name, value in self.values.items() if value in text]

    def leaks_in_answers(self) -> list[tuple[str, str]]:
        """Return secret and answer wherever one is found that the answer was not made to show."""
        return [
            (name, head)
            for index, (head, text) in enumerate(self.answers)
            for name, value in self.values.items()
            if value in text and self.shown_in.get(name) != index
        ]


@contextmanager
def collected_logs() -> Iterator[io.StringIO]:
    """Collect the lines of every logger at every level, as the platform would write them."""
    stream, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def database_rows() -> Places:
    """Yield every row of every table as text, sealed columns too: what is sealed shows nothing."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608
            for (row,) in cursor.fetchall():
                yield table, row


def redis_entries() -> Places:
    """Yield every key of Redis with its value."""
    client: Any = redis_client()
    readers: dict[bytes, Callable[[bytes], Any]] = {
        b"string": client.get,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"hash": client.hgetall,
        b"zset": lambda key: client.zrange(key, 0, -1),
    }
    for key in client.keys("*"):
        yield repr(key), f"{key!r} {readers[client.type(key)](key)!r}"


def log_in_to_admin(canaries: Canaries, staff: Client) -> None:
    """Sign a superuser in whose password is a secret too, after a wrong one."""
    User.objects.create_superuser("root@example.com", canaries.give("staff_password"))
    form = {"username": "root@example.com", "password": canaries.give("wrong_staff_password")}
    assert canaries.values["wrong_staff_password"] not in staff.post("/admin/login/", form).content.decode()
    form["password"] = canaries.values["staff_password"]
    assert staff.post("/admin/login/?next=/admin/", form).status_code == 302


def command_outputs() -> Places:
    """Yield what the commands for ops print."""
    for command in ("run_health_checks", "rotate_encryption_keys", "purge_expired", "doctor"):
        output = io.StringIO()
        with suppress(SystemExit, CommandError):
            call_command(command, stdout=output)
        assert output.getvalue()
        yield command, output.getvalue()


def admin_pages(client: Client) -> Places:
    """Yield every list and every row's page and history of the admin, as its session sees them."""
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        paths = [reverse(f"{name}_changelist")]
        for row in model._base_manager.all()[:50]:
            paths += [reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "history")]
        for path in paths:
            response = client.get(path)
            assert response.status_code == 200, (path, response.status_code)
            yield path, response.content.decode()
