"""The fields of a capability descriptor: which mode has which, their defaults and what each may hold."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from aiffinity.lib.texts import check_texts
from runtime.risk_tiers import RISK_TIERS

MODES: Final = ("state", "action", "history", "realtime", "webhook")
DEFAULT_SIGNATURE_HEADER: Final = "X-Aiffinity-Signature"
MAX_EXAMPLES: Final = 20
MAX_PERMISSIONS: Final = 50
MAX_EVENTS: Final = 50

_NAME = re.compile(r"\A[a-z][a-z0-9_]{1,63}\Z")
_EVENT = re.compile(r"\A[a-z][a-z0-9_.]{0,63}\Z")
# RFC 6749 section 3.3 lets a scope hold any visible character but the quotation mark and the backslash.
_SCOPE = re.compile(r"\A[\x21\x23-\x5b\x5d-\x7e]{1,128}\Z")
_HEADER = re.compile(r"\A[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?\Z")
_RESERVED_HEADERS: Final = frozenset(
    {
        "accept", "accept-encoding", "authorization", "connection", "content-encoding", "content-length",
        "content-type", "cookie", "date", "expect", "forwarded", "host", "http2-settings", "idempotency-key",
        "keep-alive", "location", "origin", "proxy-authenticate", "proxy-authorization", "proxy-connection", "range",
        "referer", "set-cookie", "te", "traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade",
        "user-agent", "via", "x-api-key", "x-http-method-override", "x-method-override", "x-original-url", "x-real-ip",
        "x-request-id", "x-rewrite-url",
    }
)  # fmt: skip
_RESERVED_PREFIXES: Final = ("sec-", "x-forwarded-", "x-aiffinity-", "webhook-", "access-control-", "if-")


@dataclass(frozen=True, slots=True)
class DescriptorFault:
    """One fault of a descriptor.

    `field` is a path such as `surface_guidance.placement[0]` or `schema.properties.x`, `code` a stable
    snake_case word. `pointer` is the JSON Pointer inside the value of `schema`, None for a fault outside of
    it.
    """

    field: str
    code: str
    message: str
    pointer: str | None = None


Faults = Iterator[DescriptorFault]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the descriptor: the modes that have it and a check of its value by its path."""

    check: Callable[[str, Any], Faults]
    modes: tuple[str, ...] = MODES
    is_required: bool = False


def signature_header_problem(value: str) -> str | None:
    """Say why a name can't be that of a signature header, None for a good one.

    Underscores are refused since servers fold them into dashes; names that steer a connection, a proxy or the
    platform itself (RFC 9110 section 7.6.1) are refused too.
    """
    if not _HEADER.match(value):
        return "must be 1 to 64 letters, digits and dashes, for example X-Signature-256."
    name = value.lower()
    if name == DEFAULT_SIGNATURE_HEADER.lower():
        return None
    if name in _RESERVED_HEADERS or name.startswith(_RESERVED_PREFIXES):
        return f"is a header with a meaning of its own. Use {DEFAULT_SIGNATURE_HEADER} or a name of yours."
    return None


def nearest(name: str, known: list[str]) -> str:
    """Return the end of a message on an unknown name: the nearest known one, or all of them."""
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"Did you mean {close[0]}?" if close else f"Known are {', '.join(sorted(known))}."


def _choice(options: tuple[str, ...]) -> Callable[[str, Any], Faults]:
    def check(path: str, value: Any) -> Faults:
        if not isinstance(value, str):
            yield DescriptorFault(path, "type", f"must be a string, one of {', '.join(options)}.")
        elif value not in options:
            yield DescriptorFault(path, "unknown_choice", f"must be one of {', '.join(options)}.")

    return check


def _whole_number(least: int, most: int) -> Callable[[str, Any], Faults]:
    def check(path: str, value: Any) -> Faults:
        if isinstance(value, bool) or not isinstance(value, int):
            yield DescriptorFault(path, "type", f"must be a whole number from {least} to {most}.")
        elif not least <= value <= most:
            yield DescriptorFault(path, "out_of_range", f"must be from {least} to {most}.")

    return check


def _boolean(path: str, value: Any) -> Faults:
    if not isinstance(value, bool):
        yield DescriptorFault(path, "type", "must be true or false.")


def _matching(expression: re.Pattern[str], hint: str) -> Callable[[str, Any], Faults]:
    def check(path: str, value: Any) -> Faults:
        if not isinstance(value, str):
            yield DescriptorFault(path, "type", f"must be a string: {hint}")
        elif not expression.match(value):
            yield DescriptorFault(path, "invalid", f"must be {hint}")

    return check


def _text(most: int) -> Callable[[str, Any], Faults]:
    def check(path: str, value: Any) -> Faults:
        if not isinstance(value, str):
            yield DescriptorFault(path, "type", f"must be a string of 1 to {most} characters.")
        elif not value.strip():
            yield DescriptorFault(path, "empty", "must not be empty.")
        elif len(value) > most:
            yield DescriptorFault(path, "too_long", f"has {len(value)} characters, {most} are allowed.")
        else:
            yield from (DescriptorFault(path, fault.code, fault.message) for fault in check_texts(value))

    return check


def _list_of(item: Callable[[str, Any], Faults], *, least: int, most: int) -> Callable[[str, Any], Faults]:
    def check(path: str, value: Any) -> Faults:
        if not isinstance(value, list):
            yield DescriptorFault(path, "type", "must be a list.")
            return
        if not least <= len(value) <= most:
            yield DescriptorFault(path, "out_of_range", f"must have {least} to {most} entries.")
            return
        for index, entry in enumerate(value):
            yield from item(f"{path}[{index}]", entry)
            if entry in value[:index]:
                yield DescriptorFault(f"{path}[{index}]", "duplicate", "is listed twice. Leave one out.")

    return check


def _signature_header(path: str, value: Any) -> Faults:
    problem = signature_header_problem(value) if isinstance(value, str) else "must be a string, the name of a header."
    if problem:
        yield DescriptorFault(path, "invalid" if isinstance(value, str) else "type", problem)


def _examples(path: str, value: Any) -> Faults:
    if not isinstance(value, list) or len(value) > MAX_EXAMPLES:
        yield DescriptorFault(path, "type", f"must be a list of at most {MAX_EXAMPLES} objects with params and data.")
        return
    for index, example in enumerate(value):
        place = f"{path}[{index}]"
        if not isinstance(example, dict):
            yield DescriptorFault(place, "type", "must be an object with params and data.")
            continue
        for name in sorted(example.keys() - {"params", "data"}):
            yield DescriptorFault(f"{place}.{name}", "unknown_field", nearest(name, ["params", "data"]))
        if not isinstance(example.get("params", {}), dict):
            yield DescriptorFault(f"{place}.params", "type", "must be an object, the parameters of the call.")
        if "data" not in example:
            yield DescriptorFault(f"{place}.data", "required", "is required: what the call answers with.")


def guidance_fields(choices: dict[str, tuple[str, ...]]) -> dict[str, Field]:
    """Return the fields of surface_guidance for its sets of intents, placements and components."""
    return {
        "intent": Field(_choice(choices["intent"])),
        "placement": Field(_list_of(_choice(choices["placement"]), least=0, most=len(choices["placement"]))),
        "preferred_components": Field(
            _list_of(_choice(choices["preferred_components"]), least=0, most=len(choices["preferred_components"]))
        ),
    }


FIELDS: Final[dict[str, Field]] = {
    "name": Field(
        _matching(_NAME, "2 to 64 small letters, digits and underscores that begin with a letter."),
        is_required=True,
    ),
    "mode": Field(_choice(MODES), is_required=True),
    "description": Field(_text(280), is_required=True),
    "risk_level": Field(_choice(RISK_TIERS)),
    "permissions": Field(
        _list_of(
            _matching(_SCOPE, "a scope of visible characters without spaces, for example weather:read."),
            least=0,
            most=MAX_PERMISSIONS,
        )
    ),
    "examples": Field(_examples),
    "refresh_interval_seconds": Field(_whole_number(60, 86_400), modes=("state",)),
    "confirmation_required": Field(_boolean, modes=("action",)),
    "max_items_per_page": Field(_whole_number(1, 100), modes=("history",)),
    "cursor_field": Field(_text(128), modes=("history",)),
    "protocol": Field(_choice(("sse", "websocket")), modes=("realtime",)),
    "heartbeat_interval_seconds": Field(_whole_number(5, 120), modes=("realtime",)),
    "events": Field(
        _list_of(
            _matching(_EVENT, "1 to 64 small letters, digits, underscores and dots that begin with a letter."),
            least=1,
            most=MAX_EVENTS,
        ),
        modes=("webhook",),
        is_required=True,
    ),
    "signature_header": Field(_signature_header, modes=("webhook",)),
}
