"""One byte form for one JSON value, so that equal contents have equal hashes."""

import hashlib
import json
from decimal import Decimal
from typing import Any

MAX_DEPTH = 100


def canonical_json(value: Any) -> bytes:
    """Serialise a JSON value with sorted keys, no spaces, as UTF-8.

    A float with an integral value is written as an integer, digit by digit as PostgreSQL's jsonb prints it,
    so that a hash survives a round trip through the database. Raises ValueError for whatever JSON can't
    hold: NaN, infinities, lone surrogates, keys that aren't strings, other types, more than 100 levels.
    """
    text = json.dumps(_plain(value, MAX_DEPTH), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def content_hash(value: Any) -> str:
    """Return the SHA-256 of the canonical form as 64 hex digits. Raises ValueError like canonical_json."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _plain(value: Any, levels_left: int) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return _plain_number(value)
    if levels_left == 0:
        message = f"The value is nested deeper than {MAX_DEPTH} levels."
        raise ValueError(message)
    if isinstance(value, dict):
        return {_plain_key(key): _plain(item, levels_left - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, levels_left - 1) for item in value]
    message = f"JSON has no {type(value).__name__}."
    raise ValueError(message)


def _plain_key(key: Any) -> str:
    if isinstance(key, str):
        return key
    message = "The name of a JSON field must be a string."
    raise ValueError(message)


def _plain_number(number: float) -> int | float:
    exact = Decimal(repr(number))
    if not exact.is_finite():
        message = "JSON has no NaN and no infinity."
        raise ValueError(message)
    return int(exact) if exact == exact.to_integral_value() else number
