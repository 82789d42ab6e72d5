"""The promises of every API view: envelope, errors, headers, strict bodies, pages."""

import json
import re

import pytest
from django.test import Client

from aiffinity.lib.errors import REGISTRY
from aiffinity.lib.json_gate import MAX_BODY_BYTES
from aiffinity.lib.models import IdempotencyRecord

REQUEST_ID = re.compile(r"\Areq_[0-7][0-9A-HJKMNP-TV-Z]{25}\Z")
GIVEN_ID = "req_01J8XKWM3N4QR5STVYZ2BCDEFG"
RATE_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")

pytestmark = pytest.mark.usefixtures("runs")


def error_of(response):
    assert response["Content-Type"] == "application/json"
    error = response.json()["error"]
    assert error["requestId"] == response["X-Request-Id"]
    return error


def test_an_answer_has_data_meta_and_the_request_id_three_times(api):
    response = api.post("/v1/test/echo", {"displayName": "A"}, headers={"X-Request-Id": GIVEN_ID})
    assert response.status_code == 201
    assert response.json() == {
        "data": {"display_name": "A", "run": 1, "client_secret": "cs_live_1"},
        "meta": {"requestId": GIVEN_ID},
    }
    assert response["X-Request-Id"] == GIVEN_ID


@pytest.mark.parametrize("given", ["", "req_short", GIVEN_ID + "\n", GIVEN_ID.lower(), "x" * 5000])
def test_a_malformed_request_id_is_replaced(api, given):
    response = api.get("/v1/errors", headers={"X-Request-Id": given})
    assert REQUEST_ID.match(response["X-Request-Id"])
    assert response["X-Request-Id"] != given


def test_a_bare_view_has_no_envelope(api):
    assert api.post("/v1/test/bare").json() == {"run": 1}


FAILURES = [
    ("GET", "/v1/nope", None, 404, "NOT_FOUND"),
    ("PROPFIND", "/v1/nope", None, 404, "NOT_FOUND"),
    ("FINALIZE_RESPONSE", "/v1/nope", None, 404, "NOT_FOUND"),
    ("GET", "/v1", None, 404, "NOT_FOUND"),
    ("GET", "/v1/errors/", None, 404, "NOT_FOUND"),
    ("GET", "/v1/test/fail/a%00b", None, 404, "NOT_FOUND"),
    ("DELETE", "/v1/errors", None, 405, "METHOD_NOT_ALLOWED"),
    ("OPTIONS", "/v1/errors", None, 405, "METHOD_NOT_ALLOWED"),
    ("TRACE", "/v1/errors", None, 405, "METHOD_NOT_ALLOWED"),
    ("INITIAL", "/v1/errors", None, 405, "METHOD_NOT_ALLOWED"),
    ("POST", "/v1/test/echo", b"{", 400, "INVALID_JSON"),
    ("POST", "/v1/test/echo", b"[1e999]", 400, "INVALID_JSON"),
    ("POST", "/v1/test/echo", b"[]", 400, "VALIDATION_ERROR"),
    ("POST", "/v1/test/echo", b"null", 400, "VALIDATION_ERROR"),
    ("POST", "/v1/test/echo", b'"text"', 400, "VALIDATION_ERROR"),
    ("POST", "/v1/test/echo", b"0", 400, "VALIDATION_ERROR"),
    ("POST", "/v1/test/echo", b"", 400, "VALIDATION_ERROR"),
    ("POST", "/v1/test/fail/plainly", None, 500, "INTERNAL_ERROR"),
    ("POST", "/v1/test/fail/database", None, 503, "SERVICE_UNAVAILABLE"),
    ("GET", "/v1/test/pages?limit=101", None, 400, "VALIDATION_ERROR"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), FAILURES)
def test_every_failure_is_the_error_body_with_every_header(api, method, path, body, status, code):
    response = api(method, path, body)
    assert response.status_code == status
    error = error_of(response)
    assert error["code"] == code
    assert set(error) == {"code", "message", "requestId", "details"}
    assert all(response[name].isdecimal() for name in RATE_HEADERS)


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), FAILURES)
def test_every_failure_is_a_problem_for_those_who_ask_for_one(api, settings, method, path, body, status, code):
    accept = {"Accept": "application/json;q=0.5, Application/Problem+JSON"}
    usual, problem = api(method, path, body), api(method, path, body, headers=accept)
    assert (problem.status_code, problem["Content-Type"]) == (status, "application/problem+json")
    assert {"Accept"} <= {name.strip() for name in usual["Vary"].split(",")}
    error, found = usual.json()["error"], problem.json()
    assert found == {
        "type": f"{settings.BASE_URL}/v1/errors#{code}",
        "status": status,
        "title": REGISTRY[code].meaning,
        "detail": error["message"],
        "instance": problem.wsgi_request.path,
        "code": code,
        "requestId": problem["X-Request-Id"],
        "errors": error["details"],
    }
    assert all(problem[name].isdecimal() for name in RATE_HEADERS)


@pytest.mark.parametrize(
    "accept", ["*/*", "application/*", "application/json", "application/problem+json;q=0", "text/html", "", "x/y/z;q=a"]
)
def test_everybody_else_gets_the_usual_error(api, accept):
    assert error_of(api.get("/v1/nope", headers={"Accept": accept}))["code"] == "NOT_FOUND"


def test_success_is_the_same_for_those_who_ask_for_problems(api):
    answer = api.get("/v1/errors", headers={"Accept": "application/problem+json"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_a_405_lists_the_methods(api):
    assert api.delete("/v1/errors")["Allow"] == "GET, HEAD"
    assert "Allow" not in api.delete("/v1/nope")


def test_a_500_tells_nothing_of_the_cause(api):
    assert b"canary" not in api.post("/v1/test/fail/plainly").content


def test_a_missing_database_is_said_with_retry_after(api):
    assert api.post("/v1/test/fail/database")["Retry-After"] == "5"


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/json;charset=UTF-8", "APPLICATION/JSON"]
)
def test_json_with_parameters_is_json(api, content_type):
    response = api.post("/v1/test/echo", {"display_name": "ä"}, headers={"Content-Type": content_type})
    assert response.status_code == 201
    assert response.json()["data"]["display_name"] == "ä"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "x"]
)
def test_other_media_types_are_415(api, content_type):
    response = api.post("/v1/test/echo", b"display_name=A", headers={"Content-Type": content_type})
    assert response.status_code == 415
    assert error_of(response)["code"] == "UNSUPPORTED_MEDIA_TYPE"
    assert all(name in response for name in RATE_HEADERS)


def test_a_body_that_is_too_large_is_413(api):
    body = json.dumps({"display_name": "A", "params": {"x": "y" * MAX_BODY_BYTES}}).encode()
    response = api.post("/v1/test/echo", body)
    assert response.status_code == 413
    assert error_of(response)["code"] == "PAYLOAD_TOO_LARGE"


def test_a_chunked_body_is_refused_rather_than_ignored(runs):
    response = Client().generic("POST", "/v1/test/echo", headers={"Transfer-Encoding": "chunked"})
    assert response.status_code == 400
    assert error_of(response)["message"] == "Send the body with a Content-Length, not in chunks."
    assert runs.runs == 0


def test_validation_errors_name_the_first_field_and_list_all(api):
    error = error_of(api.post("/v1/test/echo", {"displayNam": "x", "nope": 1}))
    assert error["message"] == "displayNam: Unknown field. Did you mean 'display_name'?"
    assert [detail["field"] for detail in error["details"]] == ["displayNam", "nope"]


def test_a_patch_takes_any_part_of_the_body(api):
    assert api.patch("/v1/test/echo", {"count": 3}).json()["data"] == {"count": 3}


def test_the_users_own_keys_and_unicode_come_back_as_sent(api):
    params = {"someKey": {"inner_key": ["😀", 2**53, -0.5]}, "Ünï": None}
    response = api.post("/v1/test/echo", {"display_name": "A", "params": params})
    assert response.json()["data"]["params"] == params


def test_a_page_says_where_it_stands(api):
    for number in range(5):
        IdempotencyRecord.objects.create(
            caller="t", key=str(number), locked_until="2026-01-01T00:00Z", expires_at="2026-01-01T00:00Z"
        )
    response = api.get("/v1/test/pages?limit=2&offset=2").json()
    assert response["data"] == ["2", "3"]
    assert response["meta"]["pagination"] == {"total": 5, "limit": 2, "offset": 2, "hasMore": True}
    last = api.get("/v1/test/pages?limit=2&offset=4").json()
    assert (last["data"], last["meta"]["pagination"]["hasMore"]) == (["4"], False)
    beyond = api.get("/v1/test/pages?offset=99").json()
    assert (beyond["data"], beyond["meta"]["pagination"]["limit"]) == ([], 20)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "limit=", "limit=1e1", "offset=-1", "limit=1&limit=500", "offset=%00"]
)
def test_bad_pages_are_refused_and_never_clamped(api, query):
    error = error_of(api.get(f"/v1/test/pages?{query}"))
    assert error["code"] == "VALIDATION_ERROR"
    assert error["details"][0]["field"] == query.partition("=")[0]


def test_an_unknown_host_gets_json_under_v1(api):
    response = api.get("/v1/errors", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert error_of(response)["code"] == "VALIDATION_ERROR"


def test_an_unknown_well_known_path_is_json(api):
    assert error_of(api.get("/.well-known/nope"))["code"] == "NOT_FOUND"


def test_head_is_get_without_a_body(api):
    response = api("HEAD", "/v1/errors")
    assert (response.status_code, response.content) == (200, b"")
