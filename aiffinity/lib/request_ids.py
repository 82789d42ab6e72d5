"""The request id: accepted from the caller when well-formed, made otherwise, returned and logged."""

import re
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from aiffinity.lib.ids import ULID_PATTERN, new_id

HEADER = "X-Request-Id"
WELL_FORMED = re.compile(rf"\Areq_{ULID_PATTERN}\Z")

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")


def get_request_id() -> str:
    """Return the id of the request being served, or an empty text outside of one."""
    return current_request_id.get()


def bind_request_id(given: str) -> str:
    """Take a well-formed id, or make one, for whatever this context goes on to do."""
    request_id = given if WELL_FORMED.match(given) else new_id("req")
    current_request_id.set(request_id)
    return request_id


class RequestIdMiddleware:
    """Binds a request id for as long as a request is served, under WSGI and ASGI alike."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Serve one request."""
        if iscoroutinefunction(self.get_response):
            return self._call_async(request)
        request_id = bind_request_id(request.headers.get(HEADER, ""))
        response = self.get_response(request)
        response.headers[HEADER] = request_id
        return response

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        request_id = bind_request_id(request.headers.get(HEADER, ""))
        response: HttpResponseBase = await self.get_response(request)  # type: ignore[misc]
        response.headers[HEADER] = request_id
        return response
