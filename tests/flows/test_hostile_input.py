"""Bad bodies get a clear JSON error that names the field, on every route that takes one; never a 5xx, never HTML."""

from typing import Any

import pytest
from django.db import transaction

from aiffinity.lib.json_gate import MAX_BODY_BYTES
from aiffinity.lib.ratelimit import redis_client
from aiffinity.lib.serializers import snake_case
from tests.flows.calls import CALLS, CATALOG, COLLECTION_BODIES, RUNTIME_APP
from tests.flows.envelopes import OAUTH_PATHS, TOKEN_PATH, check_answer, check_refused
from tests.flows.fields import bodies_with, body_schema, hostile_values, wrong_values
from tests.flows.routes import BODY_METHODS, api_routes
from tests.flows.world import World

pytestmark = pytest.mark.django_db

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    **COLLECTION_BODIES,
    **{
        (method, path): body
        for path, calls in CALLS.items()
        for method, body in calls.items()
        if method in BODY_METHODS
    },
}
AREAS = ["account", "apps", "auth", "capabilities", "packages", "runtime", "space"]
# Second paths of the same views: what a path alone decides is tried on them too, their fields once.
ALIASES = {f"{RUNTIME_APP}/auth", f"{RUNTIME_APP}/webhooks", f"{CATALOG}/install"}

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
        self.api, self.method, self.template, self.path = api, method, path, path.format(**objects)
        self.schema = body_schema(path, method)
        self.token = "" if path in OAUTH_PATHS else world.good_token(path)
        self.body = {
            name: value.format(**objects) if isinstance(value, str) else value
            for name, value in BODIES[method, path].items()
        }

    def __call__(self, body: Any, content_type: str = "application/json") -> Any:
        """Send a body and undo what came of it."""
        redis_client().flushdb()
        headers = {"Prefer": "respond-async", "Content-Type": content_type}
        with transaction.atomic():
            response = self.api(self.method, self.path, body, token=self.token, headers=headers)
            transaction.set_rollback(True)
        return response

    def __repr__(self) -> str:
        return f"{self.method} {self.template}"


@pytest.fixture
def senders(world: World, api: Any, area: str) -> list[Sender]:
    """Return a sender for each operation of an area of the API."""
    return [Sender(world, api, method, path) for method, path in sorted(BODIES) if _area_of(path) == area]


def test_every_route_with_a_body_has_one_here() -> None:
    known = {(method, route.path) for route in api_routes() for method in route.methods if method in BODY_METHODS}
    assert set(BODIES) == known
    assert {_area_of(path) for _, path in BODIES} == set(AREAS)


@pytest.mark.parametrize("area", AREAS)
def test_what_is_no_json_object_is_refused(senders: list[Sender]) -> None:
    large = b'{"a": "' + b"x" * MAX_BODY_BYTES + b'"}'
    for send in senders:
        for raw in NOT_JSON:
            check_refused(send(raw), (send, raw[:40]), status=400, code="INVALID_JSON")
        for raw in NO_OBJECT:
            if send.template in OAUTH_PATHS:
                # Without parameters the one has no grant type, and the others no client.
                assert send(raw).status_code == (400 if send.template == TOKEN_PATH else 401), raw
            else:
                check_refused(send(raw), (send, raw), status=400, code="VALIDATION_ERROR")
        for content_type in OTHER_TYPES:
            refused = send(b'{"a": 1}', content_type)
            check_refused(refused, (send, content_type), status=415, code="UNSUPPORTED_MEDIA_TYPE")
        check_refused(send(large), send, status=413, code="PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("area", AREAS)
def test_an_unknown_field_is_named_with_a_hint(senders: list[Sender]) -> None:
    # RFC 6749 section 3.2: an authorization server ignores parameters that it doesn't know.
    for send in (each for each in senders if each.template not in OAUTH_PATHS):
        known = next(iter(send.body), "")
        typo = f"{known}q" if len(known) > 3 else "unknown_q"
        error = check_refused(send({**send.body, typo: 1}), send, status=400, code="VALIDATION_ERROR")
        [detail] = [detail for detail in error["details"] if detail["field"] == typo]
        assert detail["code"] == "unknown_field", send
        hints = ("Did you mean", snake_case(known)) if typo.startswith(known or "-") else ()
        assert all(hint in detail["message"] for hint in hints), (send, detail)


@pytest.mark.parametrize("area", AREAS)
def test_a_field_of_a_wrong_type_is_named(senders: list[Sender]) -> None:
    for send in (each for each in senders if each.template not in ALIASES):
        for field, body in bodies_with(wrong_values, send.schema, send.body):
            error = check_answer(send(body), (send, body))
            if send.template not in OAUTH_PATHS:
                assert any(_is_at(detail["field"], field) for detail in error.get("details", ())), (send, body, error)


@pytest.mark.parametrize("area", AREAS)
def test_hostile_values_of_the_right_type_break_nothing(senders: list[Sender]) -> None:
    for send in (each for each in senders if each.template not in ALIASES):
        for _, body in bodies_with(hostile_values, send.schema, send.body):
            check_answer(send(body), (send, body))


def _area_of(path: str) -> str:
    """Return the word below /v1/providers, or `space`."""
    return path.removeprefix("/v1/").removeprefix("providers/").partition("/")[0]


def _is_at(named: str, field: str) -> bool:
    return named == field or named.startswith((f"{field}.", f"{field}["))
