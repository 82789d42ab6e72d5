"""Packages over the API: fields, slugs, ownership, deprecation."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aiffinity.lib.models import AuditEntry
from packages.categories import CATEGORY_SLUGS
from packages.models import Package, Version
from packages.publishing import RESERVED_SLUGS, delete_package
from runtime.models import CapabilityTemplate
from tests.packages.conftest import MANAGE, Maker, pass_run
from tests.parallel import held_up_by_this_transaction, in_parallel
from tests.runtime import documents


def test_create_answers_the_package_with_version_1_0_0_as_draft(acme: Maker) -> None:
    response = acme("POST", body=acme.body(slug="acme-weather"))
    data = response.json()["data"]
    assert response.status_code == 201, response.content
    assert data["id"].startswith("pkg_")
    assert (data["slug"], data["status"], data["risk_tier"], data["install_count"]) == (
        "acme-weather", "draft", "data_only", 0,
    )  # fmt: skip
    [version] = data["versions"]
    assert (version["version"], version["state"]) == ("1.0.0", "draft")


def test_inline_descriptor_becomes_a_template_and_every_capability_has_its_id(acme: Maker) -> None:
    created = acme("POST", body=acme.body()).json()["data"]
    template = CapabilityTemplate.objects.get(runtime_app=acme.runtime_app, name="current_weather")
    version = acme("GET", f"/{created['id']}/versions/{created['versions'][0]['id']}").json()["data"]
    assert [item["capability_id"] for item in version["capabilities"]] == [template.pk]
    assert version["capabilities"][0]["schema"] == documents.STATE["schema"]


def test_template_is_copied_by_name_and_a_later_change_leaves_the_copy(acme: Maker) -> None:
    acme.version()
    version = acme.version(capabilities=["current_weather"])
    CapabilityTemplate.objects.update(descriptor={})
    assert Version.objects.get(pk=version.pk).capabilities[0]["schema"] == documents.STATE["schema"]


@pytest.mark.parametrize(
    ("fields", "status", "code", "field"),
    [
        ({"slug": "ab"}, 400, "VALIDATION_ERROR", "slug"),
        ({"slug": "Acme"}, 400, "VALIDATION_ERROR", "slug"),
        ({"slug": "manage"}, 400, "VALIDATION_ERROR", "slug"),
        ({"slug": "installability"}, 400, "VALIDATION_ERROR", "slug"),
        ({"riskTier": "harmless"}, 400, "VALIDATION_ERROR", "risk_tier"),
        ({"name": ""}, 400, "VALIDATION_ERROR", "name"),
        ({"name": 7}, 400, "VALIDATION_ERROR", "name"),
        ({"name": "<script>alert(1)</script>"}, 400, "VALIDATION_ERROR", "name"),
        ({"category": "Wetter"}, 400, "VALIDATION_ERROR", "category"),
        ({"keywords": ["<img src=x onerror=alert(1)>"]}, 400, "VALIDATION_ERROR", "keywords[0]"),
        ({"images": ["http://10.0.0.1/logo.png"]}, 400, "VALIDATION_ERROR", "images[0]"),
        ({"support_url": "javascript:alert(1)"}, 400, "VALIDATION_ERROR", "support_url"),
        ({"capabilities": []}, 400, "VALIDATION_ERROR", "capabilities"),
        ({"capabilities": ["no_such_template"]}, 400, "VALIDATION_ERROR", "capabilities[0]"),
        ({"capabilities": [{**documents.STATE, "mode": "magic"}]}, 400, "VALIDATION_ERROR", "capabilities[0].mode"),
        ({"capabilities": [documents.STATE, documents.STATE]}, 400, "VALIDATION_ERROR", "capabilities[1].name"),
        (
            {"capabilities": [{**documents.STATE, "schema": {"type": "objekt"}}]},
            400,
            "INVALID_SCHEMA",
            "capabilities[0].schema.type",
        ),
        (
            {"capabilities": [{**documents.STATE, "schema": {"$ref": "https://evil.example/schema"}}]},
            400,
            "INVALID_SCHEMA",
            "capabilities[0].schema.$ref",
        ),
        ({"capabilities": [documents.STATE] * 51}, 400, "VALIDATION_ERROR", "capabilities"),
        ({"colour": "blue"}, 400, "VALIDATION_ERROR", "colour"),
        ({"appId": "app_01J8XKWM3N4QR5STVYZ2BCDEFG"}, 404, "NOT_FOUND", None),
    ],
)  # fmt: skip
def test_create_refuses_naming_the_field(
    acme: Maker, fields: dict[str, Any], status: int, code: str | None, field: str | None
) -> None:
    response = acme("POST", body=acme.body(**fields))
    assert response.status_code == status, response.content
    error = response.json()["error"]
    assert error["code"] == code
    if field is not None:
        assert error["details"][0]["field"] == field, error
    assert (Package.objects.count(), Version.objects.count(), CapabilityTemplate.objects.count()) == (0, 0, 0)


def test_unknown_category_is_told_the_known_ones(acme: Maker) -> None:
    version = acme.version()
    response = acme("PATCH", f"/{version.package_id}", {"category": "weathr"})
    message = response.json()["error"]["details"][0]["message"]
    assert response.status_code == 400
    assert message == f"There is no such category. Choose one of {', '.join(CATEGORY_SLUGS)}."
    assert acme("PATCH", f"/{version.package_id}", {"category": "travel"}).status_code == 200
    assert Package.objects.get(pk=version.package_id).category == "travel"


def test_version_of_many_templates_takes_as_many_queries_as_one_of_a_few(acme: Maker) -> None:
    bodies = [{**documents.STATE, "name": f"weather_{number}"} for number in range(30)]
    package, counts = acme.package(capabilities=bodies), []
    for names in ([body["name"] for body in bodies[:2]], [body["name"] for body in bodies]):
        with CaptureQueriesContext(connection) as queries:
            assert acme("POST", f"/{package.pk}/versions", {"capabilities": names}).status_code == 201
        counts.append(len(queries))
    assert counts[1] <= counts[0]


def test_app_without_runtime_is_told_to_register_one(acme: Maker, make_app: Callable[..., Any]) -> None:
    response = acme("POST", body=acme.body(appId=make_app(acme.account).pk))
    assert (response.status_code, response.json()["error"]["details"][0]["code"]) == (400, "runtime_missing")


def test_taken_slug_is_409_also_for_another_account(acme: Maker, maker: Callable[..., Maker]) -> None:
    acme("POST", body=acme.body(slug="acme-weather"))
    other = maker()
    response = other("POST", body=other.body(slug="acme-weather"))
    assert (response.status_code, response.json()["error"]["code"]) == (409, "SLUG_TAKEN")
    assert not CapabilityTemplate.objects.filter(runtime_app=other.runtime_app).exists()


@pytest.mark.django_db(transaction=True)
def test_one_of_many_gets_the_slug(acme: Maker) -> None:
    body = acme.body(slug="acme-weather")
    statuses = in_parallel(8, lambda: acme("POST", body=body).status_code)
    assert sorted(statuses) == [201] + [409] * 7
    assert Package.objects.count() == 1


def test_reserved_slugs_are_well_formed_so_that_they_are_needed() -> None:
    assert {"manage", "catalog", "install", "installability", "marketplace", "categories"} <= RESERVED_SLUGS


def test_patch_changes_the_listing_and_leaves_versions_alone(acme: Maker) -> None:
    version = acme.version("listed")
    response = acme("PATCH", f"/{version.package_id}", {"name": "Acme Weather 2", "availabilityMode": "unlisted"})
    data = response.json()["data"]
    assert (data["name"], data["availability_mode"], data["status"]) == ("Acme Weather 2", "unlisted", "published")
    assert Version.objects.get(pk=version.pk).content_hash == version.content_hash


@pytest.mark.parametrize("field", ["slug", "app_id", "risk_tier", "install_count", "capabilities"])
def test_patch_refuses_what_is_not_listing_metadata(acme: Maker, field: str) -> None:
    version = acme.version()
    response = acme("PATCH", f"/{version.package_id}", {field: "x"})
    assert (response.status_code, response.json()["error"]["details"][0]["field"]) == (400, field)


def test_list_is_filtered_by_status_with_a_constant_number_of_queries(
    acme: Maker, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    listed = acme.version("listed")
    drafts = [acme.version() for _ in range(6)]
    with django_assert_max_num_queries(8):
        answer = acme("GET", "?status=draft&limit=4").json()
    assert answer["meta"]["pagination"] == {"total": 6, "limit": 4, "offset": 0, "hasMore": True}
    assert [item["id"] for item in answer["data"]] == [version.package_id for version in reversed(drafts)][:4]
    with django_assert_max_num_queries(8):
        [only] = acme("GET", "?status=published").json()["data"]
    assert (only["id"], only["versions"][0]["state"]) == (listed.package_id, "listed")
    assert acme("GET", "?status=nice").status_code == 400


def test_delete_of_a_package_never_listed_removes_it(acme: Maker) -> None:
    version = acme.version("submitted")
    response = acme("DELETE", f"/{version.package_id}")
    assert (response.status_code, response.json()["data"]["status"]) == (200, "deleted")
    assert not Package.objects.filter(pk=version.package_id).exists()
    assert AuditEntry.objects.filter(subject=version.package_id, action="package.deleted").exists()
    assert acme("GET", f"/{version.package_id}").status_code == 404


def test_delete_of_a_listed_package_deprecates_it_and_tells_once(acme: Maker) -> None:
    acme.subscribe()
    version = acme.version("listed")
    for _ in range(2):
        response = acme("DELETE", f"/{version.package_id}")
        assert (response.status_code, response.json()["data"]["status"]) == (200, "deprecated")
    assert Version.objects.get(pk=version.pk).state == "superseded"
    assert acme.events() == ["package.deprecated"]
    told = AuditEntry.objects.filter(subject=version.package_id, action__in=["package.deleted", "package.deprecated"])
    assert [entry.action for entry in told] == ["package.deprecated"]


def test_delete_leaves_suspended_what_a_reviewer_suspended(acme: Maker) -> None:
    version = acme.version("suspended")
    Version.objects.filter(pk=version.pk).update(suspended_by="reviewer")
    assert acme("DELETE", f"/{version.package_id}").status_code == 200
    assert Version.objects.get(pk=version.pk).state == "suspended"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_package_of_another_account_does_not_exist(acme: Maker, maker: Callable[..., Maker], method: str) -> None:
    version, stranger = acme.version("listed"), maker()
    foreign = stranger(method, f"/{version.package_id}", {} if method == "PATCH" else None)
    missing = stranger(method, "/pkg_01J8XKWM3N4QR5STVYZ2BCDEFG", {} if method == "PATCH" else None)
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.json()["error"]["message"] == missing.json()["error"]["message"]
    assert Version.objects.get(pk=version.pk).state == "listed"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""), ("PATCH", ""), ("POST", "/validate"), ("GET", "/validations"), ("POST", "/submit"),
        ("POST", "/withdraw"), ("POST", "/publish"), ("POST", "/suspend"), ("POST", "/resume"), ("POST", "/rollback"),
        ("GET", "/diff"),
    ],
)  # fmt: skip
def test_version_of_another_account_does_not_exist(
    acme: Maker, maker: Callable[..., Maker], method: str, path: str
) -> None:
    version, stranger = acme.version("listed"), maker()
    own = stranger.version()
    for package_id in (version.package_id, own.package_id):
        body: dict[str, Any] | None = None if method == "GET" else {}
        response = stranger(method, f"/{package_id}/versions/{version.pk}{path}", body)
        assert (response.status_code, response.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert Version.objects.get(pk=version.pk).state == "listed"


def test_packages_need_an_account_holders_token(
    api: Any, acme: Maker, make_user: Callable[..., Any], id_token: Callable[..., str]
) -> None:
    assert api.get(MANAGE).status_code == 401
    assert api.get(MANAGE, token=id_token(make_user())).status_code == 403


def test_template_held_by_a_version_is_not_deleted_until_the_version_is_rejected(acme: Maker) -> None:
    version = acme.version()
    path = f"/v1/providers/runtime/apps/{acme.runtime_app.pk}/capabilities/current_weather"
    held = acme.api.delete(path, token=acme.token)
    assert (held.status_code, held.json()["error"]["code"]) == (409, "CONFLICT")
    assert f"version 1.0.0 of package {version.package.slug}" in held.json()["error"]["message"]
    Version.objects.update(state="rejected")
    assert acme.api.delete(path, token=acme.token).status_code == 200


def test_detail_counts_versions_and_their_runs(acme: Maker) -> None:
    version = acme.version("listed")
    pass_run(version)
    data = acme("GET", f"/{version.package_id}").json()["data"]
    assert (data["status"], data["listed_at"] is not None, len(data["versions"])) == ("published", True, 1)


def test_deprecated_package_names_its_successor_in_the_catalog(acme: Maker) -> None:
    old, heir = acme.version("listed"), acme.version("listed")
    slug = Package.objects.get(pk=heir.package_id).slug
    answer = acme("DELETE", f"/{old.package_id}?successor={slug}").json()["data"]
    assert (answer["status"], answer["successor_id"]) == ("deprecated", heir.package_id)
    shown = acme.api.get(f"/v1/providers/packages/{old.package_id}").json()["data"]
    assert shown["successor"] == {"id": heir.package_id, "slug": slug, "name": "Acme Weather"}
    assert acme.api.get(f"/v1/providers/packages/{slug}").json()["data"]["successor"] is None


def test_successor_is_another_published_package_of_the_account(acme: Maker, maker: Callable[..., Maker]) -> None:
    old, draft, foreign = acme.version("listed"), acme.version("draft"), maker().version("listed")
    for successor in (old.package_id, draft.package_id, foreign.package_id, "no-such-package"):
        response = acme("DELETE", f"/{old.package_id}", {"successor": successor})
        assert (response.status_code, response.json()["error"]["details"][0]["field"]) == (400, "successor")
    assert Package.objects.get(pk=old.package_id).deprecated_at is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"name": "Changed"}),
        ("DELETE", "", None),
        ("POST", "/versions", {"capabilities": [documents.STATE]}),
        ("PATCH", "/versions/{version}", {"changelog": "Changed"}),
        ("POST", "/versions/{version}/validate", {}),
        ("POST", "/versions/{version}/submit", {}),
    ],
)
def test_a_call_that_meets_the_packages_deletion_answers_404(acme: Maker, method: str, path: str, body: Any) -> None:
    version = acme.version("validated")
    whole = f"/{version.package_id}{path.format(version=version.pk)}"
    with held_up_by_this_transaction(lambda: acme(method, whole, body)) as outcome:
        delete_package(version.package, acme.attempt)
    answer = outcome.result()
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
