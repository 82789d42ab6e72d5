"""Whatever is somebody else's does not exist: every route with an id, every method, every wrong caller.

The answer is the very one that a missing id gets, and nothing in the database has changed.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.db import transaction

from aiffinity.lib.ratelimit import redis_client
from tests.flows.calls import (
    APPS,
    CALLS,
    CAPABILITY,
    CATALOG_ROUTES,
    COLLECTION_BODIES,
    MANAGE,
    PUBLIC_ROUTES,
    RUNTIME,
    VERSION,
    takes_app_tokens,
)
from tests.flows.database import rows
from tests.flows.routes import routes_with_ids
from tests.flows.world import PREFIXES, World, missing

pytestmark = pytest.mark.django_db


def test_every_route_with_an_id_has_its_calls() -> None:
    known = {route.path: set(route.methods) for route in routes_with_ids()}
    assert {path: set(methods) for path, methods in CALLS.items()} == known


def test_the_owner_reaches_every_object(world: World, api: Any) -> None:
    """Make sure that the refusals below are for the caller's sake alone."""
    for path, method, body in _calls():
        with transaction.atomic():
            response = _call(api, method, path.format(**world.good_objects(path)), body, world.good_token(path))
            transaction.set_rollback(True)
        assert response.status_code in {200, 201, 202, 409, 422}, (method, path, response.content)


@pytest.mark.parametrize("caller", ["account", "app", "user"])
def test_strangers_get_the_404_of_a_missing_id(world: World, api: Any, caller: str) -> None:
    before, token = rows(), world.token_of_stranger(caller)
    for path, method, body in _calls():
        for theirs, nobodys in _pairs(world, path):
            refused = _call(api, method, path.format(**theirs), body, token)
            unknown = _call(api, method, path.format(**nobodys), body, token)
            assert _answer(refused) == _answer(unknown), (method, path)
            assert refused.status_code == _refusal(path, caller), (method, path, refused.content)
        assert rows() == before, (method, path)


def test_nobody_gets_in_without_a_token(world: World, api: Any) -> None:
    before = rows()
    for path, method, body in _calls():
        for theirs, nobodys in _pairs(world, path):
            refused = _call(api, method, path.format(**theirs), body, "")
            unknown = _call(api, method, path.format(**nobodys), body, "")
            assert _answer(refused) == _answer(unknown), (method, path)
            assert refused.status_code == (404 if path in PUBLIC_ROUTES else 401), (method, path, refused.content)
    assert rows() == before


INNER_IDS: list[tuple[str, str, str, str, dict[str, Any]]] = [
    ("POST", RUNTIME, "app_id", "app_id", {"runtime_url": "https://api.other.example.com/aiffinity"}),
    ("POST", MANAGE, "appId", "app_id", COLLECTION_BODIES["POST", MANAGE]),
    ("POST", f"{CAPABILITY}/invoke", "install_id", "install_id", {"params": {"location": "Oslo"}}),
    ("POST", f"{CAPABILITY}/action", "install_id", "install_id", CALLS[f"{CAPABILITY}/action"]["POST"]),
    ("GET", f"{CAPABILITY}/state", "install_id", "install_id", {}),
    ("GET", f"{VERSION}/diff", "against", "version_id", {}),
    ("GET", "/v1/providers/capabilities", "app_id", "app_id", {}),
]


@pytest.mark.parametrize("caller", ["account", "app"])
def test_an_id_in_a_body_or_query_is_no_way_in(world: World, api: Any, caller: str) -> None:
    before, token = rows(), world.token_of_stranger(caller)
    for method, path, field, parameter, rest in INNER_IDS:
        own_path, answers = path.format(**world.stranger.objects), []
        for given in (world.owner.objects[parameter], missing(parameter)):
            query, body = (f"?{field}={given}", None) if method == "GET" else ("", {**rest, field: given})
            answers.append(api(method, f"{own_path}{query}", body, token=token))
        assert _answer(answers[0]) == _answer(answers[1]), path
        if path == "/v1/providers/capabilities":
            assert answers[0].json()["data"] == []
        else:
            assert answers[0].status_code == _refusal(path, caller), (path, answers[0].content)
    assert rows() == before


def test_a_package_that_was_never_listed_has_no_slug_either(world: World, api: Any) -> None:
    for path in sorted(CATALOG_ROUTES):
        for method, body in CALLS[path].items():
            refused = _call(api, method, path.format(id_or_slug=world.owner.draft.slug), body, world.stranger.token)
            unknown = _call(api, method, path.format(id_or_slug="nobody-has-this"), body, world.stranger.token)
            assert refused.status_code == 404, (method, path)
            assert _answer(refused) == _answer(unknown)


def _calls() -> Iterator[tuple[str, str, Any]]:
    """Yield path, method and body of every call, each with rate limits of its own."""
    for path, bodies in CALLS.items():
        redis_client().flushdb()
        for method, body in bodies.items():
            yield path, method, body


def _call(api: Any, method: str, path: str, body: Any, token: str) -> Any:
    # Waiting for a validation run would give the connection back in the middle of the test's transaction.
    return api(method, path, body, token=token, headers={"Prefer": "respond-async"})


def _answer(response: Any) -> tuple[int, Any]:
    """Return status and body without what differs from request to request."""
    content = response.json()
    content.get("error", content.get("meta", {})).pop("requestId")
    return response.status_code, content


def _refusal(path: str, caller: str) -> int:
    """Return 403 where the route takes no token of that kind, whatever the id, else 404."""
    if caller == "app" and not takes_app_tokens(path):
        return 403
    is_providers_alone = path.startswith((APPS, RUNTIME, MANAGE))
    return 403 if caller == "user" and is_providers_alone else 404


def _pairs(world: World, path: str) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield the owner's ids, crossed with the stranger's own in every way, each beside ids that nothing has."""
    ids = [name for name in PREFIXES if f"{{{name}}}" in path]
    theirs = {**world.owner.objects, "id_or_slug": world.owner.draft.pk}
    for is_theirs in product((True, False), repeat=len(ids)):
        chosen = [name for name, is_their in zip(ids, is_theirs, strict=True) if is_their]
        if chosen:
            objects = {**world.stranger.objects, "name": theirs["name"], "key": theirs["key"]}
            yield (
                {**objects, **{name: theirs[name] for name in chosen}},
                {**objects, **{name: missing(name) for name in chosen}},
            )
