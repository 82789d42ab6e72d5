"""The access log: one line a request with who, what, how it ended and how long it took (spec 5 "Logs")."""

import logging
import time
from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from aiffinity.lib.log_context import start_log_context

logger = logging.getLogger("aiffinity.access")

PROBES = frozenset({"/healthz", "/readyz"})


class AccessLogMiddleware:
    """Logs every request once its answer is ready, under WSGI and ASGI alike; never the query string.

    Stands right below the request id's middleware. Probes are logged at DEBUG, as they come all the time.
    """

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
        start_log_context()
        began_at = time.perf_counter()
        response = self.get_response(request)
        _log(request, response, began_at)
        return response

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        start_log_context()
        began_at = time.perf_counter()
        response: HttpResponseBase = await self.get_response(request)  # type: ignore[misc]
        _log(request, response, began_at)
        return response


def _log(request: HttpRequest, response: HttpResponseBase, began_at: float) -> None:
    logger.log(
        logging.DEBUG if request.path in PROBES else logging.INFO,
        "request",
        extra={
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "duration_ms": round((time.perf_counter() - began_at) * 1000, 1),
        },
    )
