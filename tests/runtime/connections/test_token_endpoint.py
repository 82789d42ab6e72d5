"""What answers of a token endpoint mean, good, bad and hostile."""

import json

import pytest

from aiffinity.lib.crypto import Secret
from aiffinity.lib.errors import UpstreamError, UpstreamInvalidResponse
from aiffinity.lib.outbound import OutboundResponse
from aiffinity.lib.outbound.messages import Headers
from runtime.connections.stored import Content
from runtime.connections.token_endpoint import MAX_LIFETIME_SECONDS, GrantRefused, read_grant

GOOD = {"access_token": "at-1", "token_type": "Bearer", "expires_in": 3600}
EARLIER = Content(refresh_token=Secret("rt-of-before"), revocation_url="https://acme.example/revoke")


def read(body, status=200):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = OutboundResponse(status, Headers([]), raw, elapsed_ms=1.0, effective_ip="127.0.0.1")
    return read_grant(response, asked_scopes=["weather:read"], earlier=EARLIER)


def test_what_is_left_out_stays_as_it_was():
    grant = read(GOOD)
    assert grant.content.refresh_token == EARLIER.refresh_token
    assert grant.content.revocation_url == EARLIER.revocation_url
    assert (grant.lifetime_seconds, grant.scopes) == (3600, ["weather:read"])


def test_what_is_there_counts():
    grant = read({**GOOD, "token_type": "bearer", "refresh_token": "rt-2", "scope": "a b", "expires_in": "60"})
    assert grant.content.refresh_token == Secret("rt-2")
    assert (grant.lifetime_seconds, grant.scopes) == (60, ["a", "b"])


@pytest.mark.parametrize(("given", "seconds"), [(0.5, 1), (59.9, 59), (1e300, MAX_LIFETIME_SECONDS), (None, None)])
def test_lifetimes_are_bounded(given, seconds):
    assert read({**GOOD, "expires_in": given}).lifetime_seconds == seconds


@pytest.mark.parametrize("told", [0, -1, -0.5, "0", "-60", "soon", "", True, {}, [3600]])
def test_a_lifetime_that_tells_nothing_costs_no_tokens(told):
    grant = read({**GOOD, "refresh_token": "rt-2", "expires_in": told})
    assert grant.content.access_token == Secret("at-1")
    assert grant.content.refresh_token == Secret("rt-2")
    assert grant.lifetime_seconds is None


@pytest.mark.parametrize(
    ("told", "granted"),
    [
        ("a", ["a"]),
        (["a", "b"], ["a", "b"]),
        (["a", 7, "b c", "\u202e", ""], ["a"]),
        (" ".join(f"s{number}" for number in range(1000)), [f"s{number}" for number in range(100)]),
        ("", ["weather:read"]),
        ([], ["weather:read"]),
        ({"a": 1}, ["weather:read"]),
    ],
)
def test_the_granted_scopes_are_those_that_the_provider_names(told, granted):
    assert read({**GOOD, "scope": told}).scopes == granted


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"access_token": "a", "access_token": "b", "token_type": "Bearer"}',
        {},
        {**GOOD, "token_type": "mac"},
        {**GOOD, "token_type": None},
        {**GOOD, "access_token": ""},
        {**GOOD, "access_token": 7},
        {**GOOD, "access_token": "a\r\nX-Evil: 1"},
        {**GOOD, "access_token": "a b"},
        {**GOOD, "access_token": "é"},
        {**GOOD, "access_token": "x" * 8001},
        {**GOOD, "refresh_token": ["a"]},
    ],
)
def test_an_answer_that_is_none_is_told_as_such(body):
    with pytest.raises(UpstreamInvalidResponse):
        read(body)


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 403, 404, 429, 500, 503])
def test_any_other_status_is_a_failure_of_the_endpoint(status):
    with pytest.raises(UpstreamError, match=f"HTTP {status}"):
        read(GOOD, status)


@pytest.mark.parametrize("status", [200, 400, 401, 403])
@pytest.mark.parametrize("code", ["invalid_grant", "invalid_scope", "access_denied"])
def test_a_refused_grant_is_final(status, code):
    with pytest.raises(GrantRefused, match=code):
        read({"error": code, "error_description": "<script>"}, status)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"error": "invalid_client"}, "refused the platform: invalid_client"),
        ({"error": "x" * 81}, "answered with HTTP 400"),
        ({"error": "a\nb"}, "answered with HTTP 400"),
        ({"error": ["a"]}, "answered with HTTP 400"),
        ({"error": "no whsec_0123456789abcdef here"}, r"refused the platform: no \[redacted\] here"),
        (b"<html>", "answered with HTTP 400"),
    ],
)
def test_a_refused_platform_is_no_fault_of_the_user(body, shown):
    with pytest.raises(UpstreamError, match=shown):
        read(body, 400)
