"""Both entry points read every request as UTF-8, whatever charset it names."""

import io
import json
from importlib import import_module
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator

# None of the calls asks the database: the entry points close old connections, also that of a test's transaction.
ERRORS = "/v1/errors"
TOKEN = "/v1/providers/auth/token"
CHARSETS = ["rot13", "hex", "utf-16", "idna", "punycode", "nope", '""']
KINDS = ["application/json", "application/x-www-form-urlencoded", "text/plain"]
FORM = b"grant_type=client_credentials&scope=%FF%C3%A9"

pytestmark = pytest.mark.django_db


def called(method: str, path: str, query: str, content_type: str) -> tuple[int, dict[str, Any]]:
    """Call the WSGI entry point as a server does; it is loaded here, as loading it asks the database."""
    application = import_module("aiffinity.wsgi").application
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(FORM)),
        "wsgi.input": io.BytesIO(FORM),
    }
    setup_testing_defaults(environ)
    seen: list[str] = []
    body = b"".join(application(environ, lambda status, _headers: seen.append(status)))
    return int(seen[0][:3]), json.loads(body)


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_charset_breaks_neither_query_nor_form(kind: str, charset: str) -> None:
    content_type = f"{kind}; charset={charset}"
    assert called("GET", ERRORS, "q=rain%FF%C3%A9", content_type)[0] == 200
    status, answer = called("POST", TOKEN, "", content_type)
    if kind == "application/x-www-form-urlencoded":
        assert (status, answer["error"]) == (401, "invalid_client")
    else:
        assert status == (400 if kind == "application/json" else 415)


def test_too_many_parameters_beside_a_charset_reach_the_view() -> None:
    assert called("GET", "/v1/nope", "a=1&" * 2000, "application/json; charset=utf-8")[0] == 404


def test_the_asgi_entry_point_does_the_same() -> None:
    assert async_to_sync(_status_under_asgi)("application/json; charset=punycode", b"q=rain") == 404


async def _status_under_asgi(content_type: str, query: bytes) -> int:
    application = import_module("aiffinity.asgi").application
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/v1/nope",
        "query_string": query,
        "headers": [(b"host", b"testserver"), (b"content-type", content_type.encode())],
    }
    server = ApplicationCommunicator(application, scope)
    await server.send_input({"type": "http.request", "body": b""})
    return int((await server.receive_output(10))["status"])
