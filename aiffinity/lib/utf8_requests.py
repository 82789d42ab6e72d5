"""Requests are UTF-8: a charset in the Content-Type chooses no codec that breaks on the query or the form.

Django would decode the query by it while it builds the request, outside of every middleware and view, so that
`charset=punycode` had no answer but the server's bare 500.
"""

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest


class _Utf8Request(HttpRequest):
    """A request that keeps to UTF-8."""

    @property
    def encoding(self) -> str:
        """Return UTF-8."""
        return "utf-8"

    @encoding.setter
    def encoding(self, value: str) -> None:
        """Leave out what the Content-Type wants."""


class Utf8WsgiRequest(_Utf8Request, WSGIRequest):
    """For WSGI servers."""


class Utf8AsgiRequest(_Utf8Request, ASGIRequest):
    """For ASGI servers."""
