"""Hostile paths, queries, headers and methods get a clear JSON error, on every route; never a 5xx, never HTML."""

import base64
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.db import transaction

from aiffinity.lib.api_docs import openapi_document
from aiffinity.lib.ids import ULID_PATTERN
from aiffinity.lib.ratelimit import redis_client
from tests.flows.calls import APPS, CALLS, RUNTIME
from tests.flows.envelopes import OAUTH_PATHS, TOKEN_PATH, check_answer, check_page, check_refused
from tests.flows.routes import METHODS, PAGES, Route, api_routes
from tests.flows.world import World

pytestmark = pytest.mark.django_db

ACCOUNT = "/v1/providers/account"
CATALOG = "/v1/providers/packages/catalog"
REQUEST_ID = re.compile(rf"\Areq_{ULID_PATTERN}\Z")
GIVEN_ID = "req_01J8XKWM3N4QR5STVYZ2BCDEFG"

PATH_PARTS = [
    "%00",
    "x" * 5000,
    "%F0%9F%92%A9",
    "%ED%A0%80",
    "%0A",
    "%0D%0AX-Injected:%201",
    "a%2Fb",
    "..%2F..%2Fadmin",
    "%2E%2E",
    "-1",
    "%20",
    "'%20OR%201=1--",
    "app_01j8xkwm3n4qr5stvyz2bcdefg",
    "app_01J8XKWM3N4QR5STVYZ2BCDEFG%0A",
]
QUERY_VALUES = [
    "",
    "-1",
    "9" * 5000,
    "%00",
    "%FF",
    "%ED%A0%80",
    "[]",
    "null",
    "x" * 5000,
    "0001-01-01T00:00:00%2B14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-02-30",
    "'%20%26%20:*%20%7C%20!%25_%25",
]
ODD_NUMBERS = ["", "x", "-1", "1.5", "1e3", "9" * 30, "9" * 5000, "%00", "[]", "true", "null", "101"]
ODD_TOKENS = [
    "Bearer",
    "Bearer ",
    "bearer",
    "Bearer a b",
    "Basic abc",
    "Basic Og==",
    "Token abc",
    "Bearer .",
    "Bearer ..",
    "Bearer a.b.c",
    "Bearer é",
    "Bearer \xff\xfe",
    "Bearer " + "a" * 60_000,
    "Bearer " + "." * 20_000,
    "Bearer =.=.=",
]
ODD_HEADERS = [b"[]", b"5", b"null", b'"JWT"', b"{", b"\xff", b'{"typ": []}', b'{"typ": {"a": 1}}', b"[" * 6000]
ODD_CLAIMS = {"alg": "RS256", "typ": "JWT"}
UNKNOWN_PATHS = [
    "/v1",
    "/v1/",
    "/v1/nope",
    "/v1/providers",
    "/v1/providers/apps/",
    "/v1/providers//apps",
    "/v1/%00",
    "/v1/a%0Ab",
    "/v1/%FF",
    "/v1/../admin/",
    "/v1/" + "x" * 5000,
    "/v1/<script>alert(1)</script>",
    "/v1/partner",
    "/.well-known/security.txt",
    f"{APPS}/a/b",
    f"{RUNTIME}/a/webhook-deliveries/b/c/d",
]


@pytest.mark.parametrize("method", METHODS)
def test_hostile_ids_in_paths_are_no_resource(world: World, api: Any, method: str) -> None:
    for path, bodies in CALLS.items():
        if method not in bodies:
            continue
        redis_client().flushdb()
        objects = world.good_objects(path)
        for name in Route(path, ()).parameters:
            for part in PATH_PARTS:
                hostile = path.format(**{**objects, name: part})
                response = _sent(api, method, hostile, bodies[method], world.good_token(path))
                check_answer(response, (method, hostile))
                assert response.status_code in {400, 404, 405}, (method, hostile, response.content)


def test_hostile_query_values_break_nothing(world: World, api: Any) -> None:
    for path, name in _queries():
        if name not in ("limit", "offset"):
            for value in QUERY_VALUES:
                said = f"{path.format(**world.good_objects(path))}?{name}={value}"
                check = check_page if path in PAGES else check_answer
                check(api.get(said, token=world.good_token(path)), said)


def test_every_list_refuses_a_page_that_is_none(world: World, api: Any) -> None:
    lists = sorted({path for path, name in _queries() if name in ("limit", "offset")})
    assert len(lists) > 10
    for path in lists:
        # Every list reads its page by the same serializer: one list gets all of the values.
        values = ODD_NUMBERS if path == APPS else ["0", "x"]
        for name, value in product(("limit", "offset"), values):
            if (name, value) in (("offset", "0"), ("offset", "101")):
                continue
            response = api.get(
                f"{path.format(**world.good_objects(path))}?{name}={value}", token=world.good_token(path)
            )
            error = check_refused(response, (path, name, value), status=400, code="VALIDATION_ERROR")
            assert error["details"][0]["field"] == name


def test_too_many_parameters_are_refused(world: World, api: Any) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for query in ("&".join(f"a{number}=1" for number in range(2000)), "&" * 5000):
        for path in (CATALOG, APPS):
            check_refused(
                api.get(f"{path}?{query}", token=world.owner.token), path, status=400, code="VALIDATION_ERROR"
            )
        check_refused(api.post(TOKEN_PATH, query.encode(), headers=form), "form", status=400, code="VALIDATION_ERROR")


def test_a_malformed_idempotency_key_is_named(world: World, api: Any) -> None:
    for key in ("", "x" * 256, "é", "a\tb", "\x7f", "日本", "a\x00b"):
        response = api.post(APPS, {"name": "Acme"}, token=world.owner.token, headers={"Idempotency-Key": key})
        error = check_refused(response, key, status=400, code="VALIDATION_ERROR")
        assert error["details"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize(
    "given", ["", "x", "req_", "req_01j8xkwm3n4qr5stvyz2bcdefg", GIVEN_ID + "\n", GIVEN_ID + "x", "é", "x" * 9000]
)
def test_a_malformed_request_id_is_replaced(api: Any, db: None, given: str) -> None:
    response = api.get("/v1/errors", headers={"X-Request-Id": given})
    made = response.headers["X-Request-Id"]
    assert REQUEST_ID.match(made)
    assert made != given
    assert response.json()["meta"]["requestId"] == made


def test_a_well_formed_request_id_is_kept(api: Any, db: None) -> None:
    assert api.get("/v1/nope", headers={"X-Request-Id": GIVEN_ID}).json()["error"]["requestId"] == GIVEN_ID


def test_garbage_for_a_token_is_401_everywhere(world: World, api: Any) -> None:
    tokens = [*ODD_TOKENS, *(f"Bearer {_segment(raw)}.e30.AA" for raw in ODD_HEADERS)]
    tokens += [f"Bearer {world.owner.token[:-4]}AAAA", f"Bearer {world.owner.token}.x", f"Bearer {world.owner.token}="]
    for token in tokens:
        for path in (ACCOUNT, RUNTIME, CATALOG, "/v1/errors"):
            redis_client().flushdb()
            response = api.get(path, headers={"Authorization": token})
            error = check_answer(response, (path, token[:60]))
            assert (response.status_code, response.headers["WWW-Authenticate"][:6]) == (401, "Bearer"), token[:60]
            assert error["code"] in {"UNAUTHENTICATED", "TOKEN_INVALID"}


@pytest.mark.parametrize("raw", [b"\xff", b"\xff:\xfe", b"no colon", b":", b"a\x00b:c", b"\xed\xa0\x80:x", b""])
def test_hostile_basic_credentials_are_an_invalid_client(api: Any, db: None, raw: bytes) -> None:
    for value in (base64.b64encode(raw).decode(), "!" + base64.b64encode(raw).decode(), "====", "é"):
        redis_client().flushdb()
        response = api.post(
            TOKEN_PATH, {"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {value}"}
        )
        check_answer(response, (raw, value))
        assert response.status_code in {400, 401}, response.content


def test_other_headers_can_be_anything(world: World, api: Any) -> None:
    headers = {
        "Accept": "text/html",
        "Accept-Language": "x" * 5000,
        "Cookie": "sessionid=\xff; csrftoken==;;",
        "Range": "bytes=-1",
        "If-Match": "\xff",
        "Prefer": "\xff",
        "Cache-Control": "\xff",
        "X-Forwarded-For": "é, 999.1.1.1, ::1%lo",
        "X-Forwarded-Proto": "gopher",
        "Forwarded": "for=\xff",
        "X-HTTP-Method-Override": "DELETE",
        "Origin": "null",
        "Referer": "\xff",
        "User-Agent": "",
        "Traceparent": "00-x",
    }
    for path in (CATALOG, APPS, "/v1/nope"):
        response = api.get(path, token=world.owner.token, headers=headers)
        check_answer(response, path)
        assert response.status_code == (404 if path == "/v1/nope" else 200)
    for host in ("evil.example.com", "é", "a b", "[::1", "testserver\x00"):
        check_refused(api.get(APPS, headers={"Host": host}), host, status=400, code="VALIDATION_ERROR")
    length = api.client.generic("POST", APPS, b"{}", content_type="application/json", CONTENT_LENGTH="²")
    check_answer(length, "length")


def test_other_methods_are_405_with_those_that_the_path_has(world: World, api: Any) -> None:
    for route in api_routes():
        redis_client().flushdb()
        allowed = {*route.methods, "HEAD"} if "GET" in route.methods else {*route.methods}
        path = route.path.format(**world.good_objects(route.path))
        token = "" if route.path in OAUTH_PATHS else world.good_token(route.path)
        for method in (*METHODS, "OPTIONS", "FOO"):
            if method in allowed:
                continue
            response = api(method, path, token=token)
            check_refused(response, (method, path), status=405, code="METHOD_NOT_ALLOWED")
            assert set(response.headers["Allow"].split(", ")) == allowed, (method, path)


def test_unknown_paths_are_a_json_404(world: World, api: Any) -> None:
    for path in UNKNOWN_PATHS:
        redis_client().flushdb()
        for method, token in product((*METHODS, "OPTIONS", "FOO"), ("", world.owner.token)):
            check_refused(api(method, path, token=token), (method, path), status=404, code="NOT_FOUND")


def _sent(api: Any, method: str, path: str, body: Any, token: str) -> Any:
    """Send a request and undo what came of it."""
    with transaction.atomic():
        response = api(method, path, body, token=token, headers={"Prefer": "respond-async"})
        transaction.set_rollback(True)
    return response


def _queries() -> Iterator[tuple[str, str]]:
    """Yield path and name of every query parameter in the OpenAPI document."""
    document = openapi_document()
    shared = document["components"]["parameters"]
    for path, operations in document["paths"].items():
        redis_client().flushdb()
        for given in operations.get("get", {}).get("parameters", []):
            parameter = shared[given["$ref"].rpartition("/")[2]] if "$ref" in given else given
            if parameter["in"] == "query":
                yield path, parameter["name"]


def _segment(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
