"""Every resource carries an ETag; reading and writing on a condition work on every route (spec 2)."""

from collections.abc import Iterator
from typing import Any

import pytest

from aiffinity.lib.conditional import CONDITIONAL_METHODS
from aiffinity.lib.ratelimit import redis_client
from tests.flows.calls import CALLS, CATALOG_ROUTES, COLLECTION_BODIES
from tests.flows.database import rows
from tests.flows.routes import api_routes
from tests.flows.world import World
from tests.runtime import documents

# Outside the tests a request never begins within a transaction.
pytestmark = pytest.mark.django_db(transaction=True)

RUNTIME_APP = "/v1/providers/runtime/apps/{app_id}"
UPSERT = f"{RUNTIME_APP}/capability-template"
BODIES = {
    **CALLS,
    **{path: {method: body} for (method, path), body in COLLECTION_BODIES.items() if method == "PATCH"},
    UPSERT: {"PUT": {**documents.STATE, "description": "Changed"}},
}
# Each GET of a state is a call of its own, with an id of its own; the other two are pages.
WITHOUT_TAG = {
    "/v1/providers/capabilities/{capability_id}/state",
    "/v1/space/connections/callback",
    "/v1/space/connections/callback/{app_id}",
}
STALE = '"stale"'


def test_what_was_read_already_is_not_sent_again(world: World, api: Any) -> None:
    for path in _paths("GET"):
        if path in WITHOUT_TAG:
            continue
        where, token = path.format(**world.good_objects(path)), world.good_token(path)
        first = api.get(where, token=token)
        assert first.status_code == 200, (path, first.content)
        again = api.get(where, token=token, headers={"If-None-Match": f'"another", W/{first["ETag"]}'})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"]), path
        assert "Content-Type" not in again
        assert {"X-Request-Id", "X-RateLimit-Limit", "Cache-Control", "Vary"} <= set(again.headers), path
        assert api.get(where, token=token, headers={"If-None-Match": STALE}).content != b"", path


def test_a_write_on_what_has_changed_meanwhile_changes_nothing(world: World, api: Any) -> None:
    before = rows()
    for path, method, body in _writes():
        where, token = path.format(**world.good_objects(path)), world.good_token(path)
        refused = api(method, where, body, token=token, headers={"If-Match": STALE})
        assert refused.status_code == 412, (method, path, refused.content)
        assert refused.json()["error"]["code"] == "PRECONDITION_FAILED"
        assert rows() == before, (method, path)


def test_a_write_of_what_was_read_goes_through_once(world: World, api: Any) -> None:
    for path, method, body in _writes():
        if method == "DELETE" or path.endswith("/credential-secret"):
            continue
        where, token = path.format(**world.good_objects(path)), world.good_token(path)
        tag = {"If-Match": _tag(api, where, token)}
        written = api(method, where, body, token=token, headers=tag)
        if written.status_code == 409:
            # A listed version can't be edited; its tag was good all the same.
            assert path.endswith("/{version_id}"), (method, path, written.content)
            continue
        assert written.status_code in {200, 201}, (method, path, written.content)
        assert written["ETag"] == _tag(api, where, token), (method, path)


def test_what_was_deleted_on_its_tag_is_gone(world: World, api: Any) -> None:
    for path, method, _ in _writes():
        if method != "DELETE" or path in CATALOG_ROUTES or path.endswith(("/connection", "{app_id}", "{name}")):
            continue
        where, token = path.format(**world.good_objects(path)), world.good_token(path)
        tag = {"If-Match": api.get(where, token=token)["ETag"]}
        assert api.delete(where, token=token, headers=tag).status_code == 200, path
        assert api.delete(where, token=token, headers=tag).status_code in {404, 412}, path


def test_a_missing_resource_is_told_before_its_condition(world: World, api: Any) -> None:
    where = "/v1/providers/runtime/apps/app_01J8XKWM3N4QR5STVYZ2BCDEFG"
    for path, body in (("", {"name": "A"}), ("/auth-profile", BODIES[f"{RUNTIME_APP}/auth-profile"]["PUT"])):
        method = "PUT" if path else "PATCH"
        refused = api(method, f"{where}{path}", body, token=world.owner.token, headers={"If-Match": STALE})
        assert refused.status_code == 404, path


def test_what_the_platform_moves_holds_up_no_write(world: World, api: Any) -> None:
    where = RUNTIME_APP.format(**world.owner.objects)
    read = api.get(where, token=world.owner.token)
    world.owner.published.set_runtime(health_status="degraded")
    moved = api.get(where, token=world.owner.token, headers={"If-None-Match": read["ETag"]})
    assert (moved.status_code, moved.json()["data"]["health_status"]) == (200, "degraded")
    assert moved["ETag"] != read["ETag"]
    written = api.patch(where, {"name": "Acme"}, token=world.owner.token, headers={"If-Match": read["ETag"]})
    assert written.status_code == 200


def test_only_what_everybody_sees_may_be_kept_by_caches(world: World, api: Any) -> None:
    listing = f"/v1/providers/packages/{world.owner.objects['id_or_slug']}"
    anonymous, known = api.get(listing), api.get(listing, token=world.consumer_token)
    assert (anonymous["Cache-Control"], known["Cache-Control"]) == ("public, max-age=30", "private, no-cache")
    assert anonymous["Vary"] == known["Vary"] == "Authorization"
    assert api.get("/v1/providers/account", token=world.owner.token)["Cache-Control"] == "private, no-cache"


def _paths(method: str) -> Iterator[str]:
    """Yield the paths that take a method, each with rate limits of its own."""
    for route in api_routes():
        redis_client().flushdb()
        if (method in route.methods and "{" not in route.path) or method in CALLS.get(route.path, {}):
            yield route.path


def _writes() -> Iterator[tuple[str, str, Any]]:
    for method in sorted(CONDITIONAL_METHODS, reverse=True):
        for path in _paths(method):
            yield path, method, BODIES[path][method]


def _tag(api: Any, where: str, token: str) -> str:
    where = where.replace("/capability-template", f"/capabilities/{documents.STATE['name']}")
    answer = api.get(where, token=token)
    return str(answer["ETag"]) if answer.status_code == 200 else "*"
