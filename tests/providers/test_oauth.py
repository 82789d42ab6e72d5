"""The token endpoint and the tokens it issues, over HTTP."""

import base64
import hashlib
import hmac
import time
from datetime import timedelta
from io import StringIO
from urllib.parse import urlencode

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from providers.models import SigningKey, SigningKeyUse
from providers.signing_keys import active_key, forget_cached_keys
from providers.tokens import token_header
from tests.parallel import in_parallel

PEM, PKCS8 = Encoding.PEM, PrivateFormat.PKCS8
TOKEN_PATH = "/v1/providers/auth/token"

pytestmark = pytest.mark.django_db


@pytest.fixture
def app(make_account, make_app):
    return make_app(make_account())


def credentials(app, **fields):
    return {
        "grant_type": "client_credentials",
        "client_id": app.client_id,
        "client_secret": app.plain_client_secret,
        **fields,
    }


def basic(app):
    raw = f"{app.client_id}:{app.plain_client_secret}".encode()
    return {"Authorization": f"Basic {base64.b64encode(raw).decode()}"}


def test_json_credentials_give_a_bearer_token_of_an_hour(api, app):
    response = api.post(TOKEN_PATH, credentials(app))

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    used = api.get("/v1/providers/runtime/apps", token=body["access_token"])
    assert used.status_code == 200


def test_form_and_basic_credentials_work_too(api, app):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = api.post(TOKEN_PATH, urlencode(credentials(app)).encode(), headers=form)
    with_header = api.post(
        TOKEN_PATH, urlencode({"grant_type": "client_credentials"}).encode(), headers={**form, **basic(app)}
    )
    json_with_header = api.post(TOKEN_PATH, {"grant_type": "client_credentials"}, headers=basic(app))
    assert [r.status_code for r in (posted, with_header, json_with_header)] == [200, 200, 200]


def test_the_token_is_a_signed_jwt_that_the_published_keys_verify(api, app):
    token = api.post(TOKEN_PATH, credentials(app)).json()["access_token"]
    keys = KeySet.import_key_set(api.get("/.well-known/jwks.json").json())
    decoded = jwt.decode(token, keys, ["RS256"])

    assert decoded.header["typ"] == "at+jwt"
    assert decoded.claims["client_id"] == decoded.claims["sub"] == app.client_id
    assert decoded.claims["iss"] == decoded.claims["aud"] == settings.BASE_URL
    assert decoded.claims["exp"] - decoded.claims["iat"] == 3600


def test_the_published_keys_hold_no_private_half(api):
    keys = api.get("/.well-known/jwks.json").json()["keys"]
    assert len(keys) == 2
    assert all(set(key) <= {"kty", "n", "e", "kid", "alg", "use"} for key in keys)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"client_secret": "cs_live_wrong"}, "invalid_client"),
        ({"client_id": "ci_nobody_00000000"}, "invalid_client"),
        ({"client_id": ["ci"]}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"scope": ["runtime:read"]}, "invalid_scope"),
        ({"scope": {}}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
    ],
)
def test_errors_are_those_of_rfc_6749(api, app, fields, error):
    response = api.post(TOKEN_PATH, credentials(app, **fields))
    assert response.status_code in (400, 401)
    assert response.json()["error"] == error
    assert response.headers["Cache-Control"] == "no-store"


def test_an_unknown_client_is_refused_like_a_wrong_secret(api, app):
    wrong_secret = api.post(TOKEN_PATH, credentials(app, client_secret="cs_live_wrong"))
    unknown = api.post(TOKEN_PATH, credentials(app, client_id="ci_nobody_00000000"))
    assert wrong_secret.status_code == unknown.status_code == 401
    assert wrong_secret.json() == unknown.json()


def test_credentials_in_the_query_string_are_ignored(api, app):
    response = api.post(f"{TOKEN_PATH}?{urlencode(credentials(app))}", {})
    assert response.status_code in (400, 401)


def test_a_scope_narrows_the_token(api, app):
    token = api.post(TOKEN_PATH, credentials(app, scope="runtime:read")).json()["access_token"]
    read = api.get("/v1/providers/runtime/apps", token=token)
    write = api.post("/v1/providers/runtime/apps", {"app_id": app.pk}, token=token)
    assert read.status_code == 200
    assert (write.status_code, write.json()["error"]["code"]) == (403, "PERMISSION_DENIED")


def claims_for(app, **changes):
    now = int(time.time())
    return {
        "iss": settings.BASE_URL,
        "aud": settings.BASE_URL,
        "sub": app.client_id,
        "client_id": app.client_id,
        "iat": now,
        "exp": now + 3600,
        "scope": "runtime:read",
        "jti": "forged",
        **changes,
    }


def signed_with_public_key(header, claims, pem):
    """Sign as HS256 with the public key's text, as an algorithm-confusion attack does."""
    parts = [base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=") for part in (header, claims)]
    signature = hmac.new(pem, b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def test_forged_tokens_are_refused(api, app):
    key = active_key(SigningKeyUse.ACCESS_TOKEN)
    other = RSAKey.import_key(rsa.generate_private_key(65537, 2048).private_bytes(PEM, PKCS8, NoEncryption()))
    header = {"alg": "RS256", "typ": "at+jwt", "kid": key.kid}
    none_header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
    good = jwt.encode(header, claims_for(app), key, ["RS256"])
    forged = [
        f"{none_header}.{good.split('.')[1]}.",
        signed_with_public_key({**header, "alg": "HS256"}, claims_for(app), key.as_pem(private=False)),
        jwt.encode(header, claims_for(app), other, ["RS256"]),
        jwt.encode({**header, "kid": "../../etc/passwd"}, claims_for(app), other, ["RS256"]),
        jwt.encode({**header, "jku": "https://evil.example/jwks"}, claims_for(app), key, ["RS256"]),
        jwt.encode({**header, "x5u": "https://evil.example/x5u"}, claims_for(app), key, ["RS256"]),
        jwt.encode(header, claims_for(app, aud="somebody"), key, ["RS256"]),
        jwt.encode(header, claims_for(app, iss="https://evil.example"), key, ["RS256"]),
        jwt.encode(header, claims_for(app, exp=None), key, ["RS256"]),
        jwt.encode(header, claims_for(app, iat=int(time.time()) + 3600), key, ["RS256"]),
        jwt.encode({**header, "typ": "JWT"}, claims_for(app), key, ["RS256"]),
        jwt.encode(header, claims_for(app), active_key(SigningKeyUse.ID_TOKEN), ["RS256"]),
        good[:-4] + "AAAA",
        "a.b.c",
        "garbage",
        "e30.e30.",
        "x" * 9000,
    ]
    for token in forged:
        response = api.get("/v1/providers/runtime/apps", token=token)
        assert response.status_code == 401, (forged.index(token), response.content)
        assert response.json()["error"]["code"] == "TOKEN_INVALID"
        assert "invalid_token" in response.headers["WWW-Authenticate"]
    assert api.get("/v1/providers/runtime/apps", token=good).status_code == 200


def test_an_expired_access_token_says_so(api, app):
    key = active_key(SigningKeyUse.ACCESS_TOKEN)
    header = {"alg": "RS256", "typ": "at+jwt", "kid": key.kid}
    old = int(time.time()) - 7200
    token = jwt.encode(header, claims_for(app, iat=old, exp=old + 3600), key, ["RS256"])
    response = api.get("/v1/providers/runtime/apps", token=token)
    assert (response.status_code, response.json()["error"]["code"]) == (401, "TOKEN_EXPIRED")


def test_an_access_token_is_no_id_token(api, app):
    token = api.post(TOKEN_PATH, credentials(app)).json()["access_token"]
    response = api.get("/v1/providers/account", token=token)
    assert (response.status_code, response.json()["error"]["code"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize("header", ["Bearer", "Basic abc", "Bearer a b", "Token x"])
def test_other_authorization_headers_are_unauthenticated(api, header):
    response = api.get("/v1/providers/account", headers={"Authorization": header})
    assert (response.status_code, response.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_metadata_names_the_endpoints(api):
    metadata = api.get("/.well-known/oauth-authorization-server").json()
    assert metadata["token_endpoint"] == f"{settings.BASE_URL}/v1/providers/auth/token"
    assert metadata["jwks_uri"] == f"{settings.BASE_URL}/.well-known/jwks.json"
    assert metadata["token_endpoint_auth_methods_supported"] == ["client_secret_post", "client_secret_basic"]


@pytest.mark.django_db(transaction=True)
def test_parallel_first_uses_make_one_key():
    kids = in_parallel(8, lambda: active_key(SigningKeyUse.ACCESS_TOKEN).kid)
    assert len(set(kids)) == 1


def test_after_a_rotation_new_keys_sign_and_old_tokens_stay_good(api, app, id_token):
    before = api.post(TOKEN_PATH, credentials(app)).json()["access_token"]
    of_user = id_token(app.account)
    call_command("rotate_signing_keys", stdout=StringIO())
    after = api.post(TOKEN_PATH, credentials(app)).json()["access_token"]

    assert jwt_kid(before) != jwt_kid(after)
    assert [api.get("/v1/providers/runtime/apps", token=t).status_code for t in (before, after, of_user)] == [200] * 3
    published = {key["kid"] for key in api.get("/.well-known/jwks.json").json()["keys"]}
    assert {jwt_kid(before), jwt_kid(after)} <= published
    assert len(published) == 4


def test_a_key_that_was_retired_a_day_ago_verifies_nothing_any_more(api, app):
    token = api.post(TOKEN_PATH, credentials(app)).json()["access_token"]
    old = jwt_kid(token)
    call_command("rotate_signing_keys", stdout=StringIO())
    SigningKey.objects.filter(kid=old).update(retired_at=timezone.now() - timedelta(hours=23))
    call_command("purge_expired", stdout=StringIO())
    assert old in {key["kid"] for key in api.get("/.well-known/jwks.json").json()["keys"]}
    SigningKey.objects.filter(kid=old).update(retired_at=timezone.now() - timedelta(hours=25))
    call_command("purge_expired", stdout=StringIO())
    forget_cached_keys()
    assert old not in {key["kid"] for key in api.get("/.well-known/jwks.json").json()["keys"]}
    assert api.get("/v1/providers/runtime/apps", token=token).status_code == 401


def jwt_kid(token):
    return token_header(token)["kid"]


def test_requests_for_one_client_are_limited_wherever_they_come_from(api, app, settings):
    settings.TRUSTED_PROXIES = 1
    wrong = credentials(app, client_secret="cs_live_wrong")
    answers = [
        api.post(TOKEN_PATH, wrong, headers={"X-Forwarded-For": f"203.0.113.{number // 50}"}) for number in range(121)
    ]
    assert {answer.status_code for answer in answers[:120]} == {401}
    assert (answers[120].status_code, answers[120].json()["error"]["code"]) == (429, "RATE_LIMITED")
    assert answers[120]["X-RateLimit-Limit"] == "120"
