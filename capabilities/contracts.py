"""The contract of a call: what goes in and what comes out, judged by the version's descriptor (spec 4 "Gateway")."""

import re
from collections.abc import Sequence
from typing import Any

from aiffinity.lib.errors import Detail
from aiffinity.lib.schemas import SchemaFault, pointer_segments, validate
from runtime.descriptors import answer_schema, input_schema

DEFAULT_MAX_ITEMS_PER_PAGE = 100
MAX_CURSOR_CHARACTERS = 512
CURSOR = re.compile(r"\A[\x21-\x7e]{1,512}\Z")

Descriptor = dict[str, Any]


def param_faults(descriptor: Descriptor, params: dict[str, Any], *, root: str = "params") -> list[Detail]:
    """Return what is wrong with a call's params, with paths such as `params.items[0].id`.

    A descriptor without an input schema takes any object (spec 1 decision 24); history mode's `cursor` and
    `limit` are always judged (decision 16).
    """
    faults = _details(root, params, validate(input_schema(descriptor), params))
    return faults or (_page_faults(descriptor, params, root) if descriptor["mode"] == "history" else [])


def answer_faults(descriptor: Descriptor, data: Any) -> list[Detail]:
    """Return where a provider's `data` breaks the contract, with paths such as `data.temperature_c`."""
    return _details("data", data, validate(answer_schema(descriptor), data))


def _page_faults(descriptor: Descriptor, params: dict[str, Any], root: str) -> list[Detail]:
    found = []
    cursor, limit = params.get("cursor"), params.get("limit")
    if cursor is not None and not (isinstance(cursor, str) and CURSOR.match(cursor)):
        message = f"Send the `next_cursor` of a page: at most {MAX_CURSOR_CHARACTERS} printable characters."
        found.append(Detail(f"{root}.cursor", "invalid", message))
    most = descriptor.get("max_items_per_page") or DEFAULT_MAX_ITEMS_PER_PAGE
    is_integer = isinstance(limit, int) and not isinstance(limit, bool)
    if limit is not None and not (is_integer and 1 <= limit <= most):
        found.append(Detail(f"{root}.limit", "invalid", f"Send an integer from 1 to {most}."))
    return found


def _details(root: str, value: Any, faults: Sequence[SchemaFault]) -> list[Detail]:
    return [Detail(field_path(root, value, fault.pointer), fault.code, fault.message) for fault in faults]


def field_path(root: str, value: Any, pointer: str) -> str:
    """Write a JSON Pointer into a value as the API's field path: `/items/0/id` becomes `params.items[0].id`."""
    path = root
    for segment in pointer_segments(pointer):
        if isinstance(value, list):
            path, value = f"{path}[{segment}]", value[int(segment)] if int(segment) < len(value) else None
        else:
            path, value = f"{path}.{segment}", value.get(segment) if isinstance(value, dict) else None
    return path
