"""Redaction by value and by shape: what must never reach logs and traces (spec 6 "redaction")."""

import re
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

REDACTED = "[redacted]"
LEAST_VALUE_LENGTH = 8
VALUES_REMEMBERED = 256

SECRET_NAMES = frozenset(
    {
        "access_token",
        "api_key",
        "apikey",
        "authorization",
        "client_secret",
        "cookie",
        "credential",
        "credentials",
        "id_token",
        "new_password",
        "passwd",
        "password",
        "private_key",
        "refresh_token",
        "secret",
        "secret_key",
        "signing_secret",
        "token",
    }
)
_NAMES = "|".join(sorted(SECRET_NAMES, key=len, reverse=True))
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<![A-Za-z0-9])(?:cs_live|cs_test|whsec|rt|mt)_[A-Za-z0-9_\-+/=]{8,}"
    r"|\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*"
    r"|(?i:(?<=\bBearer )|(?<=\bBasic ))[A-Za-z0-9._~+/=-]{8,}"
    r"|(?<=://)[^\s/@:\"']*+:[^\s/@\"']++(?=@)",
    re.DOTALL,
)
# `password=…` as in forms and URLs, and `"password": "…"` as in JSON and in Python's print of a dict.
_NAMED = re.compile(rf"(?i)\b({_NAMES})(=|[\"']\s*:\s*)(\"(?:[^\"\\]|\\.)*+\"?|'(?:[^'\\]|\\.)*+'?|[^\s&,;\"'}}\])]++)")

_configured: set[str] = set()
_remembered: ContextVar[deque[str] | None] = ContextVar("remembered_secrets", default=None)


def redact_always(values: Iterable[str]) -> None:
    """Redact these values in every line from now on: the secrets of the configuration."""
    _configured.update(value for value in values if len(value) >= LEAST_VALUE_LENGTH)


def start_remembering() -> deque[str]:
    """Begin a request or task with no values of its own, and return where they will stand."""
    values: deque[str] = deque(maxlen=VALUES_REMEMBERED)
    _remembered.set(values)
    return values


def remember(value: str) -> None:
    """Redact a value for as long as the current request or task runs; elsewhere, as long as its thread does."""
    values = _remembered.get()
    if values is None:
        values = start_remembering()
    if len(value) < LEAST_VALUE_LENGTH:
        return
    # What was met last is forgotten last.
    with suppress(ValueError):
        values.remove(value)
    values.append(value)


def redact(text: str) -> str:
    """Replace known secret values, what has the shape of a secret, and what a secret's name introduces."""
    found = [value for value in (*_configured, *(_remembered.get() or ())) if value in text]
    # The longest first: the rest of a secret that begins with another one must not stay.
    for value in sorted(found, key=len, reverse=True):
        text = text.replace(value, REDACTED)
    return _NAMED.sub(rf"\1\2{REDACTED}", _SHAPES.sub(REDACTED, text))


def redact_tree(value: Any) -> Any:
    """Redact every text in a JSON-like value, and whatever stands under the name of a secret."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(key)): _redact_member(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_tree(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))


def _redact_member(name: str, value: Any) -> Any:
    if name.lower().replace("-", "_") in SECRET_NAMES and value not in (None, "", False, True):
        return REDACTED
    return redact_tree(value)
