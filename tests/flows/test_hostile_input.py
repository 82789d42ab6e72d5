"""Bad bodies get a clear JSON error that names the field, on every route that takes one; never a 5xx, never HTML."""

import json
from typing import Any

import pytest
from django.db import transaction

from aiffinity.lib.json_gate import MAX_BODY_BYTES
from aiffinity.lib.ratelimit import redis_client
from tests.flows.calls import CALLS, COLLECTION_BODIES
from tests.flows.envelopes import TOKEN_PATH, check_answer, check_refused
from tests.flows.fields import body_schema, wrong_bodies
from tests.flows.routes import BODY_METHODS, api_routes
from tests.flows.world import World

pytestmark = pytest.mark.django_db

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    **COLLECTION_BODIES,
    **{
        (method, path): body for path, calls in CALLS.items() for method, body in calls.items() if method in BODY_METHODS
    },
}
OPERATIONS = sorted(BODIES)

NOT_JSON = [
    b"{",
    b"<a/>",
    b"{'a': 1}",
    b'{"a": 1,}',
    b"a=1",
    b"\xff\xfe",
    b"{} {}",
    b"\x00",
    b'{"a": "\xed\xa0\x80"}',
    b'{"a": "\\ud800"}',
    b'{"\\udfff": 1}',
    b'{"a": "\\u0000"}',
    b'{"a\\u0000b": 1}',
    b'{"a": 1, "a": 1}',
    b'{"a": {"b": 1, "b": 2}}',
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": -Infinity}',
    b'{"a": 1e999}',
    b'{"a": ' + b"9" * 5000 + b"}",
    b'{"a": ' + b"[" * 65 + b"]" * 65 + b"}",
    b"[" * 100_000,
    b'{"a":' * 100_000,
]
NO_OBJECT = [b"null", b"5", b"1.5", b"true", b'"text"', b"[]", b'[{"a": 1}]', b"[[]]"]
OTHER_TYPES = [
    "text/plain",
    "text/html",
    "application/xml",
    "application/jsonx",
    "application/merge-patch+json",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/octet-stream",
]


class Sender:
    """Sends one operation again and again, each time to the same world."""

    def __init__(self, world: World, api: Any, method: str, path: str) -> None:
        objects = world.good_objects(path)
        self.api, self.method, self.path = api, method, path.format(**objects)
        self.schema = body_schema(path, method)
        self.token = "" if path == TOKEN_PATH else world.good_token(path)
        self.body = {
            name: value.format(**objects) if isinstance(value, str) else value
            for name, value in BODIES[method, path].items()
        }

    def __call__(self, body: Any, **headers: str) -> Any:
        """Send a body and undo what came of it."""
        redis_client().flushdb()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with transaction.atomic():
            response = self.api(
                self.method, self.path, body, token=self.token, headers={"Prefer": "respond-async", **named}
            )
            transaction.set_rollback(True)
        return response


@pytest.fixture
def send(world: World, api: Any, request: Any) -> Sender:
    """Return a sender of the operation under test."""
    return Sender(world, api, *request.param)


def test_every_route_with_a_body_has_one_here() -> None:
    known = {(method, route.path) for route in api_routes() for method in route.methods if method in BODY_METHODS}
    assert set(BODIES) == known


@pytest.mark.parametrize("send", OPERATIONS, indirect=True)
def test_hostile_bodies_are_refused(send: Sender) -> None:
    for raw in NOT_JSON:
        check_refused(send(raw), raw[:40], status=400, code="INVALID_JSON")
    for raw in NO_OBJECT:
        if send.path == TOKEN_PATH:
            assert send(raw).status_code in (400, 401), raw
        else:
            check_refused(send(raw), raw, status=400, code="VALIDATION_ERROR")
    for content_type in OTHER_TYPES:
        refused = send(b'{"a": 1}', Content_Type=content_type)
        check_refused(refused, content_type, status=415, code="UNSUPPORTED_MEDIA_TYPE")
    large = b'{"a": "' + b"x" * MAX_BODY_BYTES + b'"}'
    check_refused(send(large), "large", status=413, code="PAYLOAD_TOO_LARGE")
    _check_unknown_field(send)
    _check_wrong_types(send)


def _check_unknown_field(send: Sender) -> None:
    if send.path == TOKEN_PATH:
        # RFC 6749 section 3.2: parameters that the server doesn't know are ignored.
        return
    known = next(iter(send.body), "zzz")
    typo = known[:-1] + "q" if len(known) > 3 else "unknown_q"
    error = check_refused(send({**send.body, typo: 1}), typo, status=400, code="VALIDATION_ERROR")
    [detail] = [detail for detail in error["details"] if detail["field"] == typo]
    assert detail["code"] == "unknown_field", error
    if send.body:
        assert "Did you mean" in detail["message"] or "Known fields" in detail["message"], error


def _check_wrong_types(send: Sender) -> None:
    for field, body in wrong_bodies(send.schema, send.body):
        said = (field, json.dumps(body)[:300])
        error = check_answer(send(body), said)
        if send.path != TOKEN_PATH:
            assert error, said
            named = [detail["field"] for detail in error["details"]]
            assert any(name == field or name.startswith((f"{field}.", f"{field}[")) for name in named), (said, error)
