"""What every log line of one request or task carries: its ids and its caller."""

from contextvars import ContextVar
from typing import Any

from aiffinity.lib.redaction import start_remembering

# One dict for a whole request: threads that ASGI runs parts of it in see what the others bind.
_members: ContextVar[dict[str, str] | None] = ContextVar("log_members", default=None)


def start_log_context(**members: str) -> None:
    """Begin a request or task; forgets what the one before bound."""
    _members.set(dict(members))
    start_remembering()


def bind_log_context(**members: str) -> None:
    """Add members to every later line of the current request or task; empty values are left out."""
    current = _members.get()
    if current is not None:
        current.update({name: value for name, value in members.items() if value})


def log_members() -> dict[str, str]:
    """Return the members of the current request or task."""
    return dict(_members.get() or {})


def bind_caller(caller: Any) -> None:
    """Bind the caller that authentication found: an object with `key`, `account` and `app`, or None.

    The library knows no rooms above it, so it asks for the attributes instead of a type.
    """
    if caller is None:
        return
    bind_log_context(
        caller=str(getattr(caller, "key", "")),
        account_id=_pk(getattr(caller, "account", None)),
        app_id=_pk(getattr(caller, "app", None)),
    )


def _pk(row: Any) -> str:
    return "" if row is None else str(row.pk)
