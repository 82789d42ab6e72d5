"""The API about itself: registry, OpenAPI document, docs page, probes and the retired API."""

import ast
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.executor import MigrationExecutor
from drf_spectacular.validation import validate_schema

from aiffinity.lib import errors, probes
from aiffinity.lib.api_docs import openapi_document
from aiffinity.lib.errors import REGISTRY, PlatformError
from aiffinity.lib.generated_docs import render_errors
from aiffinity.lib.ratelimit import connect_redis

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("aiffinity", "providers", "runtime", "packages", "capabilities", "catalog")
PROMISED_CODES = {
    "VALIDATION_ERROR",
    "INVALID_JSON",
    "INVALID_SCHEMA",
    "UNAUTHENTICATED",
    "TOKEN_EXPIRED",
    "TOKEN_INVALID",
    "PERMISSION_DENIED",
    "EMAIL_NOT_VERIFIED",
    "ACCOUNT_SUSPENDED",
    "NOT_FOUND",
    "METHOD_NOT_ALLOWED",
    "CONFLICT",
    "SLUG_TAKEN",
    "EMAIL_TAKEN",
    "INVALID_STATE",
    "QUOTA_EXCEEDED",
    "IDEMPOTENCY_KEY_REUSED",
    "GONE",
    "PRECONDITION_FAILED",
    "PAYLOAD_TOO_LARGE",
    "UNSUPPORTED_MEDIA_TYPE",
    "GATE_NOT_PASSED",
    "POLICY_VIOLATION",
    "NOT_INSTALLABLE",
    "CONNECTION_REQUIRED",
    "RATE_LIMITED",
    "INTERNAL_ERROR",
    "UPSTREAM_ERROR",
    "UPSTREAM_INVALID_RESPONSE",
    "CAPABILITY_SUSPENDED",
    "SERVICE_UNAVAILABLE",
    "UPSTREAM_TIMEOUT",
}
METHODS = ("get", "post", "put", "patch", "delete")


def operations():
    for path, item in openapi_document()["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def test_the_registry_is_served(api):
    data = api.get("/v1/errors").json()["data"]
    assert [entry["code"] for entry in data] == list(REGISTRY)
    assert data[0] == {
        "code": "VALIDATION_ERROR",
        "statuses": [400],
        "meaning": "A field of the request is missing, unknown or has a wrong value.",
        "remedy": "Correct the fields listed in `details`.",
    }


def subclasses(cls):
    for child in cls.__subclasses__():
        yield child
        yield from subclasses(child)


def test_every_error_class_has_its_code_and_status_in_the_registry():
    for cls in (PlatformError, *subclasses(PlatformError)):
        assert cls.status in REGISTRY[cls.code].statuses, cls
        assert cls.message


def names_used():
    """Return every name that the rooms' code mentions outside of the error tree itself."""
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if "errors" in path.parts and path.name in ("tree.py", "__init__.py"):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Name):
                    yield node.id
                elif isinstance(node, ast.Attribute):
                    yield node.attr


def test_every_code_is_raised_somewhere():
    used = set(names_used())
    if "field_error" in used:
        used.add("ValidationFailed")
    raised = {cls.code for cls in (PlatformError, *subclasses(PlatformError)) if cls.__name__ in used}
    assert set(REGISTRY) == raised


def test_the_registry_has_the_promised_codes_and_no_others():
    assert set(REGISTRY) == PROMISED_CODES


def test_every_statuses_codes_are_those_of_its_classes():
    statuses: dict[str, set[int]] = {code: set() for code in REGISTRY}
    for cls in (PlatformError, *subclasses(PlatformError)):
        statuses[cls.code].add(cls.status)
    assert {code: set(entry.statuses) for code, entry in REGISTRY.items()} == statuses


def test_the_public_names_are_all_there():
    assert all(hasattr(errors, name) for name in errors.__all__)


def test_the_errors_page_is_current():
    call_command("render_docs", "--check")
    assert (ROOT / "docs" / "errors.md").read_text(encoding="utf-8") == render_errors()


def test_a_stale_page_is_found(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    (tmp_path / "docs").mkdir()
    with pytest.raises(CommandError, match=r"not current: .*errors\.md"):
        call_command("render_docs", "--check")


def test_the_document_is_valid_openapi_3_1(api):
    document = api.get("/v1/openapi.json").json()
    assert document["openapi"] == "3.1.1"
    validate_schema(document)
    assert {path.split("/")[1] for path in document["paths"]} <= {"v1", ".well-known"}
    assert "/v1/errors" in document["paths"]


def test_the_document_is_generated_without_warnings(capsys):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")


def test_operation_ids_are_distinct_and_stable():
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids))
    openapi_document.cache_clear()
    assert [operation["operationId"] for _, _, operation in operations()] == ids


def test_every_operation_describes_envelope_errors_and_headers():
    for path, method, operation in operations():
        place = f"{method} {path}"
        responses = operation["responses"]
        assert {"405", "429", "500", "503"} <= set(responses), place
        assert operation.get("tags"), place
        assert operation.get("summary"), place
        successes = [response for status, response in responses.items() if status.startswith("2")]
        assert successes, place
        for response in successes:
            assert {"X-Request-Id", "X-RateLimit-Limit"} <= set(response["headers"]), place
        names = {parameter.get("$ref", "").rpartition("/")[2] for parameter in operation["parameters"]}
        assert ("IdempotencyKey" in names) <= (method == "post"), place


def test_lists_describe_pages_and_objects_do_not():
    document = openapi_document()
    registry = document["paths"]["/v1/errors"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert registry["properties"]["data"]["type"] == "array"
    assert registry["properties"]["meta"] == {"$ref": "#/components/schemas/Meta"}
    apps = document["paths"]["/v1/providers/apps"]["get"]
    schema = apps["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["properties"]["meta"] == {"$ref": "#/components/schemas/ListMeta"}
    assert {"$ref": "#/components/parameters/Limit"} in apps["parameters"]


def test_both_security_schemes_are_described():
    schemes = openapi_document()["components"]["securitySchemes"]
    assert schemes["firebaseIdToken"]["scheme"] == "bearer"
    flow = schemes["oauth2"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"].endswith("/v1/providers/auth/token")
    assert "runtime:read" in flow["scopes"]
    used = {name for _, _, operation in operations() for need in operation.get("security", ()) for name in need}
    assert used == {"firebaseIdToken", "oauth2"}


def test_the_docs_page_needs_no_outside_host_and_no_inline_script(client):
    page = client.get("/docs")
    assert page.status_code == 200
    html = page.content.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)", html) == []
    assert re.findall(r"<style|style=|\bon\w+=", html) == []
    links = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert len(links) == 5
    assert all(link.startswith("/") and not link.startswith("//") for link in links)
    for link in links:
        assert client.get(link.replace("&amp;", "&")).status_code == 200, link
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert "unsafe" not in page["Content-Security-Policy"]


def test_the_root_leads_to_the_docs(client):
    response = client.get("/")
    assert (response.status_code, response["Location"]) == (302, "/docs")


@pytest.mark.django_db
def test_the_probes_answer_when_all_is_there(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_healthz_asks_no_database(client, django_assert_num_queries):
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
def test_readyz_names_what_is_missing(client, settings, monkeypatch, tmp_path):
    settings.ENVIRONMENT = "staging"
    monkeypatch.setattr(probes, "redis_client", lambda: connect_redis(f"unix://{tmp_path}/nobody.sock"))
    monkeypatch.setattr(probes.migrations, "fault", lambda: "1 migrations are not applied")
    response = client.get("/readyz")
    assert response.status_code == 503
    missing = response.json()["missing"]
    assert set(missing) == {"redis", "migrations", "environment"}
    assert missing["redis"] == "Redis is away (ConnectionError)"


@pytest.mark.django_db
def test_readyz_counts_the_migrations_that_are_missing(monkeypatch):
    fresh = probes.Migrations()
    assert fresh.fault() is None
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda _, __: [object()] * 3)
    assert probes.Migrations().fault() == "3 migrations are not applied"
    assert fresh.fault() is None


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
@pytest.mark.parametrize("path", ["/v1/partners", "/v1/partners/", "/v1/partners/widgets/1"])
def test_the_retired_api_says_where_to_go(api, settings, method, path):
    response = api(method, path, b"{" if method == "POST" else None, token="not.a.token")
    assert response.status_code == 410
    error = response.json()["error"]
    assert error["code"] == "GONE"
    assert set(error["migration"]) == {"replacement", "documentation_url", "sunset_at", "guide"}
    assert error["migration"]["replacement"] == "/v1/providers"
    assert error["migration"]["documentation_url"] == f"{settings.BASE_URL}/docs"
    assert {"from": "/v1/partners/widgets", "to": "/v1/providers/packages/manage"} in error["migration"]["guide"]
    assert re.fullmatch(r"@\d+", response["Deprecation"])
    sunset = datetime.fromisoformat(error["migration"]["sunset_at"])
    assert parsedate_to_datetime(response["Sunset"]) == sunset
    assert response["Link"] == f'<{settings.BASE_URL}/v1/providers>; rel="successor-version"'
    assert "X-RateLimit-Limit" in response
