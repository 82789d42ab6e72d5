"""Revoking (RFC 7009) and introspecting (RFC 7662) an app's own access tokens, over HTTP."""

import base64
import time
from datetime import timedelta
from io import StringIO
from urllib.parse import urlencode

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from joserfc import jwt

from aiffinity.lib.models import IdempotencyRecord
from providers.authentication import caller_of_access_token
from providers.models import RevokedToken, SigningKeyUse
from providers.signing_keys import active_key
from tests.parallel import in_parallel

TOKEN = "/v1/providers/auth/token"
REVOKE = "/v1/providers/auth/revoke"
INTROSPECT = "/v1/providers/auth/introspect"
USED = "/v1/providers/runtime/apps"
BOTH = pytest.mark.parametrize("path", [REVOKE, INTROSPECT])
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def app(make_account, make_app):
    return make_app(make_account())


@pytest.fixture
def token(access_token, app):
    return access_token(app, "runtime:read capabilities:read")


def credentials(app, **fields):
    return {"client_id": app.client_id, "client_secret": app.plain_client_secret, **fields}


def basic(app):
    raw = f"{app.client_id}:{app.plain_client_secret}".encode()
    return {"Authorization": f"Basic {base64.b64encode(raw).decode()}"}


def signed(app, **changes):
    """Sign claims as the platform does."""
    now = int(time.time())
    claims = {
        "iss": settings.BASE_URL,
        "aud": settings.BASE_URL,
        "sub": app.client_id,
        "client_id": app.client_id,
        "iat": now,
        "exp": now + 3600,
        "scope": "runtime:read",
        "jti": "jti_of_the_test",
        **changes,
    }
    key = active_key(SigningKeyUse.ACCESS_TOKEN)
    return jwt.encode({"alg": "RS256", "typ": "at+jwt", "kid": key.kid}, claims, key, ["RS256"])


def is_active(api, app, token):
    response = api.post(INTROSPECT, credentials(app, token=token))
    assert response.status_code == 200
    return response.json()["active"]


def test_a_revoked_token_is_refused_at_once(api, app, token, access_token):
    other = access_token(app)
    assert api.get(USED, token=token).status_code == 200
    response = api.post(REVOKE, credentials(app, token=token))

    assert (response.status_code, response.json()) == (200, {})
    assert response.headers["Cache-Control"] == "no-store"
    refused = api.get(USED, token=token)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "TOKEN_INVALID")
    assert "invalid_token" in refused.headers["WWW-Authenticate"]
    assert api.get(USED, token=other).status_code == 200
    assert is_active(api, app, other)


def test_introspection_answers_the_claims_of_a_good_token(api, app, token):
    response = api.post(INTROSPECT, credentials(app, token=token))
    body = response.json()

    assert response.headers["Cache-Control"] == "no-store"
    issued_at = body.pop("iat")
    assert body.pop("exp") == issued_at + 3600
    assert abs(issued_at - time.time()) < 60
    assert body.pop("jti").startswith("jti_")
    assert body == {
        "active": True,
        "scope": "runtime:read capabilities:read",
        "client_id": app.client_id,
        "sub": app.client_id,
        "aud": settings.BASE_URL,
        "iss": settings.BASE_URL,
        "token_type": "Bearer",
    }


def test_a_revoked_token_is_not_active_and_can_be_revoked_again(api, app, token):
    for _ in range(2):
        assert api.post(REVOKE, credentials(app, token=token)).status_code == 200
        response = api.post(INTROSPECT, credentials(app, token=token))
        assert (response.status_code, response.json()) == (200, {"active": False})
    assert RevokedToken.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_revocations_of_a_token_all_succeed(api, make_account, make_app, access_token):
    app = make_app(make_account())
    token = access_token(app)
    statuses = in_parallel(10, lambda: api.post(REVOKE, credentials(app, token=token)).status_code)
    assert statuses == [200] * 10
    assert RevokedToken.objects.count() == 1


@BOTH
@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "something_else"])
def test_all_ways_to_send_the_secret_work_and_hints_are_ignored(api, app, access_token, path, hint):
    fields = {"token_type_hint": hint}
    answers = [
        api.post(path, credentials(app, token=access_token(app), **fields)),
        api.post(path, {"token": access_token(app), **fields}, headers=basic(app)),
        api.post(path, urlencode(credentials(app, token=access_token(app), **fields)).encode(), headers=FORM),
        api.post(path, urlencode({"token": access_token(app), **fields}).encode(), headers={**FORM, **basic(app)}),
    ]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert RevokedToken.objects.count() == (4 if path == REVOKE else 0)
    if path == INTROSPECT:
        assert [answer.json()["active"] for answer in answers] == [True] * 4


@pytest.mark.parametrize("is_same_account", [True, False])
def test_somebody_elses_token_is_neither_revoked_nor_shown(api, app, token, make_account, make_app, is_same_account):
    other = make_app(app.account if is_same_account else make_account("Other Company"))
    revoked = api.post(REVOKE, credentials(other, token=token))
    introspected = api.post(INTROSPECT, credentials(other, token=token))

    assert (revoked.status_code, revoked.json()) == (200, {})
    assert (introspected.status_code, introspected.json()) == (200, {"active": False})
    assert not RevokedToken.objects.exists()
    assert api.get(USED, token=token).status_code == 200
    assert is_active(api, app, token)


def test_what_is_no_good_token_is_revoked_in_vain_and_not_active(api, app, token, id_token):
    old = int(time.time()) - 7200
    bad = [
        signed(app, iat=old, exp=old + 3600),
        signed(app, aud="somebody"),
        signed(app, iss="https://evil.example"),
        token[:-4] + "AAAA",
        id_token(app.account),
        "a.b.c",
        "é.é.é",
        "e30.e30.",
        "garbage",
        "." * 20_000,
        "x" * 100_000,
    ]
    for text in bad:
        answers = [api.post(path, credentials(app, token=text)) for path in (REVOKE, INTROSPECT)]
        assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {}), (200, {"active": False})]
        form = api.post(REVOKE, urlencode(credentials(app, token=f"{text}\x00")).encode(), headers=FORM)
        assert form.status_code == 200
    assert not RevokedToken.objects.exists()


@BOTH
def test_an_unknown_client_is_refused_like_a_wrong_secret(api, app, token, path):
    wrong = [
        credentials(app, token=token, client_secret="cs_live_wrong"),
        credentials(app, token=token, client_id="ci_nobody_00000000"),
        {"token": token},
        {},
    ]
    answers = [api.post(path, body) for body in wrong]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.json()["error"] for answer in answers} == {"invalid_client"}
    assert {answer.content for answer in answers} == {answers[0].content}
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
    assert api.get(USED, token=token).status_code == 200


@BOTH
@pytest.mark.parametrize("token", [None, "", 7, ["x"]])
def test_a_request_without_a_token_is_invalid(api, app, path, token):
    response = api.post(path, credentials(app, token=token))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert "token" in response.json()["error_description"]
    assert response.headers["Cache-Control"] == "no-store"


@BOTH
def test_an_access_token_is_no_client_authentication(api, token, path):
    response = api.post(path, {"token": token}, token=token)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


@BOTH
def test_parameters_in_the_query_string_are_ignored(api, app, token, path):
    assert api.post(f"{path}?{urlencode(credentials(app, token=token))}", {}).status_code == 401
    assert api.post(f"{path}?{urlencode({'token': token})}", {}, headers=basic(app)).status_code == 400
    assert not RevokedToken.objects.exists()


@BOTH
def test_nothing_is_kept_under_an_idempotency_key(api, app, token, path):
    for _ in range(2):
        answer = api.post(path, credentials(app, token=token), headers={"Idempotency-Key": "k"})
        assert "Idempotency-Replayed" not in answer.headers
    assert not IdempotencyRecord.objects.exists()


@BOTH
def test_calls_of_one_address_are_limited(api, app, token, path):
    answers = [api.post(path, credentials(app, client_secret="cs_live_wrong")) for _ in range(61)]
    assert [answer.status_code for answer in answers] == [401] * 60 + [429]
    assert answers[60].json()["error"]["code"] == "RATE_LIMITED"


def test_guesses_at_one_clients_secret_are_counted_over_all_endpoints(api, app, settings):
    settings.TRUSTED_PROXIES = 1
    wrong = credentials(app, grant_type="client_credentials", token="x", client_secret="cs_live_wrong")
    paths = [TOKEN, REVOKE, INTROSPECT]
    answers = [
        api.post(paths[number % 3], wrong, headers={"X-Forwarded-For": f"203.0.113.{number // 50}"})
        for number in range(121)
    ]
    assert [answer.status_code for answer in answers] == [401] * 120 + [429]


def test_a_call_asks_for_app_account_and_revocation_at_once(token, django_assert_num_queries):
    caller_of_access_token(token)
    with django_assert_num_queries(1):
        caller_of_access_token(token)


def test_revocations_are_kept_until_their_tokens_have_expired(api, app, access_token):
    with time_machine.travel(timezone.now() - timedelta(hours=2)):
        old = access_token(app)
        api.post(REVOKE, credentials(app, token=old))
    kept = access_token(app)
    api.post(REVOKE, credentials(app, token=kept))
    assert RevokedToken.objects.count() == 2
    call_command("purge_expired", stdout=StringIO())
    assert RevokedToken.objects.count() == 1
    assert [api.get(USED, token=each).status_code for each in (old, kept)] == [401, 401]


def test_the_metadata_names_both_endpoints(api):
    metadata = api.get("/.well-known/oauth-authorization-server").json()
    for name, path in (("revocation", REVOKE), ("introspection", INTROSPECT)):
        assert metadata[f"{name}_endpoint"] == f"{settings.BASE_URL}{path}"
        assert metadata[f"{name}_endpoint_auth_methods_supported"] == ["client_secret_post", "client_secret_basic"]
