"""What counts as an answer of the execute protocol (spec 4 "Execute protocol")."""

import math
from dataclasses import dataclass, field
from typing import Any, NoReturn

from aiffinity.lib.errors import Detail, InvalidJson, UpstreamError, UpstreamInvalidResponse
from aiffinity.lib.json_gate import parse_json
from aiffinity.lib.outbound import OutboundResponse
from aiffinity.lib.redaction import redact

OK, ERROR, PENDING = "ok", "error", "pending"
MAX_CODE_LENGTH = 80
MAX_MESSAGE_LENGTH = 500
MAX_CURSOR_LENGTH = 1024


@dataclass(frozen=True)
class ExecuteAnswer:
    """A provider's answer: `ttl` in seconds or None, `latency_ms` as measured, `body` as it came.

    `error_code`, `error_message` and `is_retryable` are the provider's own words where status is `error`.
    """

    status: str
    data: Any = field(repr=False)
    ttl: float | None
    metadata: dict[str, Any] = field(repr=False)
    next_cursor: str | None
    error_code: str | None
    error_message: str | None
    is_retryable: bool
    latency_ms: int
    status_code: int
    body: bytes = field(repr=False)


def read_answer(response: OutboundResponse) -> ExecuteAnswer:
    """Read a raw answer.

    An error of the protocol counts under 2xx and 4xx. Raises UpstreamError for any other status than these,
    and for a 4xx without a body of the protocol; UpstreamInvalidResponse for a 2xx that breaks it.
    """
    if response.is_success:
        return _read(response, _parse(response))
    if not 400 <= response.status < 500:
        raise _bad_status(response)
    try:
        answer = _read(response, _parse(response))
    except UpstreamInvalidResponse:
        raise _bad_status(response) from None
    if answer.status != ERROR:
        raise _bad_status(response)
    return answer


def _parse(response: OutboundResponse) -> dict[str, Any]:
    try:
        content = parse_json(response.body)
    except InvalidJson:
        _refuse("", "not_json", "The answer is not JSON that the platform accepts.")
    if not isinstance(content, dict):
        _refuse("", "type", "The answer must be a JSON object.")
    return content


def _read(response: OutboundResponse, content: dict[str, Any]) -> ExecuteAnswer:
    status = content.get("status")
    if status not in (OK, ERROR, PENDING):
        _refuse("status", "unknown_choice", "status must be ok, error or pending.")
    if status == OK and "data" not in content:
        _refuse("data", "required", "An answer with status ok needs data.")
    code, message, is_retryable = _error(content) if status == ERROR else (None, None, False)
    return ExecuteAnswer(
        status=status,
        data=content.get("data"),
        ttl=_ttl(content.get("ttl")),
        metadata=_metadata(content.get("metadata")),
        next_cursor=_cursor(content.get("nextCursor")),
        error_code=code,
        error_message=message,
        is_retryable=is_retryable,
        latency_ms=round(response.elapsed_ms),
        status_code=response.status,
        body=response.body,
    )


def _error(content: dict[str, Any]) -> tuple[str, str, bool]:
    error = content.get("error")
    if not isinstance(error, dict):
        _refuse("error", "type", "An answer with status error needs an error object.")
    code, message, is_retryable = error.get("code"), error.get("message", ""), error.get("retryable", False)
    if not isinstance(code, str) or not code:
        _refuse("error.code", "type", "error.code must be a string.")
    if not isinstance(message, str):
        _refuse("error.message", "type", "error.message must be a string.")
    if not isinstance(is_retryable, bool):
        _refuse("error.retryable", "type", "error.retryable must be true or false.")
    # A provider that names the key it got in its error must not hand it to the caller, nor to the call's log.
    return redact(code)[:MAX_CODE_LENGTH], redact(message)[:MAX_MESSAGE_LENGTH], is_retryable


def _ttl(ttl: Any) -> float | None:
    """Return the seconds that an answer stays fresh, as the provider says; who keeps it bounds them."""
    if ttl is None:
        return None
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not 0 <= ttl < math.inf:
        _refuse("ttl", "type", "ttl must be a number of seconds, 0 or more.")
    return float(min(ttl, 1e9))


def _metadata(metadata: Any) -> dict[str, Any]:
    if metadata is None:
        return {}
    if not isinstance(metadata, dict):
        _refuse("metadata", "type", "metadata must be an object.")
    return metadata


def _cursor(cursor: Any) -> str | None:
    if cursor is not None and (not isinstance(cursor, str) or not 1 <= len(cursor) <= MAX_CURSOR_LENGTH):
        _refuse("nextCursor", "type", f"nextCursor must be a string of 1 to {MAX_CURSOR_LENGTH} characters.")
    return cursor


def _bad_status(response: OutboundResponse) -> UpstreamError:
    message = f"The provider answered with HTTP {response.status}."
    return UpstreamError(message, details=[Detail("", f"http_{response.status}", message)])


def _refuse(field: str, code: str, message: str) -> NoReturn:
    raise UpstreamInvalidResponse(message, details=[Detail(field, code, message)])
