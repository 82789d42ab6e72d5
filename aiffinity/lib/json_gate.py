"""The JSON gate: what hostile JSON meets before any view (spec 2, "Body limit")."""

import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from aiffinity.lib.errors import InvalidJson, PayloadTooLarge

MAX_BODY_BYTES = 1_048_576
MAX_DEPTH = 64
LEAST_INTEGER = -(2**63)
GREATEST_INTEGER = 2**63 - 1
MAX_INTEGER_DIGITS = 20

# A string that never ends is taken up to the end of the text, so that one pass is enough for any input.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_body(stream: IO[bytes]) -> bytes:
    """Read at most the allowed size; raises PayloadTooLarge (413)."""
    body = stream.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise PayloadTooLarge
    return body


def parse_json(raw: bytes) -> Any:
    """Parse bytes into a value; raises InvalidJson naming what is wrong.

    Refused: other encodings than UTF-8, NaN and Infinity, integers beyond 64 bits, floats out of range,
    duplicate keys, NUL characters, lone surrogates and more than 64 levels.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidJson("The body is not UTF-8.") from None
    _check_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique_pairs,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_within_64_bits,
        )
    except json.JSONDecodeError as exc:
        place = f"line {exc.lineno}, column {exc.colno}"
        raise InvalidJson(f"The body is not JSON: {exc.msg} at {place}.") from None
    if "\\u" in text or "\x00" in text:
        _check_characters(value)
    return value


def _check_depth(text: str) -> None:
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        first = match.group()[0]
        if first in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise InvalidJson(f"The body is nested deeper than {MAX_DEPTH} levels.")
        elif first in "]}":
            depth -= 1


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InvalidJson(f"The key {key[:80]!r} stands twice in one object.")
            seen.add(key)
    return found


def _refuse_constant(name: str) -> Any:
    raise InvalidJson(f"{name} is not JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise InvalidJson("A number in the body is out of range.")
    return number


def _within_64_bits(digits: str) -> int:
    if len(digits) <= MAX_INTEGER_DIGITS and LEAST_INTEGER <= (number := int(digits)) <= GREATEST_INTEGER:
        return number
    raise InvalidJson("An integer in the body is out of the range of 64 bits.")


def _check_characters(value: Any) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise InvalidJson("The body has a NUL character.")
        if _SURROGATE.search(value):
            raise InvalidJson("The body has a lone surrogate.")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_characters(key)
            _check_characters(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_characters(inner)


class JsonParser(BaseParser):
    """DRF's door to the gate."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Parse a request's body."""
        return parse_json(read_body(stream))
