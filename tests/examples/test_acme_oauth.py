"""Acme's authorization server as clients and attackers see it, in a process of its own."""

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from examples.acme_weather.access import ADA
from examples.demo.pages import read_page
from tests.connected import Acme, running_acme

CALLBACK = "https://platform.example/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
SECRET = {"client_id": "aiffinity", "client_secret": "acme-gave-this-to-aiffinity"}
ASKED = {
    "response_type": "code",
    "client_id": "aiffinity",
    "redirect_uri": CALLBACK,
    "scope": "weather:read",
    "state": "state-of-the-test",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@pytest.fixture(scope="module")
def process():
    with running_acme() as found:
        yield found


@pytest.fixture
def acme(process: Acme) -> Acme:
    process.control(forget=True, oauth_client={"redirect_uri": CALLBACK})
    return process


def ask(acme, **changed):
    query = {name: value for name, value in {**ASKED, **changed}.items() if value is not None}
    return requests.get(f"{acme.url}/oauth/authorize", params=query, timeout=10, allow_redirects=False)


def decide(acme, decision="approve", **changed):
    page = ask(acme)
    [form] = read_page(page.url, 200, page.text).forms
    sent = {**form.fields, "email": ADA.email, "password": ADA.password, "decision": decision, **changed}
    return requests.post(form.url, data=sent, timeout=10, allow_redirects=False)


def answer_of(response):
    assert response.status_code == 303, response.text
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def token(acme, **form):
    return requests.post(f"{acme.url}/oauth/token", data={**SECRET, **form}, timeout=10)


def redeem(acme, code, **changed):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return token(acme, **{name: value for name, value in {**form, **changed}.items() if value is not None})


def grant(acme):
    response = redeem(acme, answer_of(decide(acme))["code"])
    assert response.status_code == 200, response.text
    return response.json()


def refresh(acme, refresh_token):
    return token(acme, grant_type="refresh_token", refresh_token=refresh_token)


def good_tokens(acme):
    return [pair["is_good"] for pair in acme.oauth()["tokens"]]


def test_the_page_tells_who_asks_for_what_and_may_not_be_framed_or_kept(acme):
    page = ask(acme)
    assert "Let Aiffinity use your Acme Weather account?" in page.text
    assert "See the weather at your stations" in page.text
    assert "See your forecasts" not in page.text
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_what_comes_in_the_request_is_inert_on_the_page(acme):
    page = ask(acme, state='"><script>alert(1)</script>', nonce="</form><img src=x onerror=alert(1)>")
    assert "<script" not in page.text
    assert "<img" not in page.text
    assert page.text.count("&lt;script&gt;") == 1


def test_a_code_becomes_a_token_with_the_right_verifier(acme):
    granted = grant(acme)
    assert (granted["token_type"], granted["expires_in"], granted["scope"]) == ("Bearer", 3600, "weather:read")
    assert good_tokens(acme) == [True]


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge": "short"},
        {"scope": "weather:write"},
        {"response_type": "token"},
    ],
)
def test_a_request_without_s256_or_with_other_wishes_is_sent_back_with_an_error(acme, changed):
    answer = answer_of(ask(acme, **changed))
    assert "error" in answer
    assert "code" not in answer
    assert answer["state"] == ASKED["state"]


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": CALLBACK + "/more"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": CALLBACK + "?x=1"},
        {"client_id": "another"},
        {"client_id": None},
    ],
)
def test_nothing_is_sent_to_an_address_that_is_not_registered(acme, changed):
    response = ask(acme, **changed)
    assert response.status_code in (400, 401)
    assert "Location" not in response.headers


def test_no_means_no_and_a_wrong_password_asks_again(acme):
    denied = answer_of(decide(acme, "deny"))
    assert (denied["error"], denied["state"], "code" in denied) == ("access_denied", ASKED["state"], False)
    wrong = decide(acme, password="guessed")
    assert wrong.status_code == 401
    assert "Wrong address or password" in wrong.text
    assert acme.oauth()["tokens"] == []


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": None},
        {"code_verifier": "w" * 64},
        {"redirect_uri": "https://evil.example/"},
        {"client_secret": "guessed"},
    ],
)
def test_a_stolen_code_alone_is_worth_nothing(acme, changed):
    refused = redeem(acme, answer_of(decide(acme))["code"], **changed)
    assert refused.status_code in (400, 401)
    assert "access_token" not in refused.json()
    assert acme.oauth()["tokens"] == []


def test_a_code_that_is_used_twice_ends_what_came_of_it(acme):
    code = answer_of(decide(acme))["code"]
    assert redeem(acme, code).status_code == 200
    assert redeem(acme, code).json()["error"] == "invalid_grant"
    assert good_tokens(acme) == [False]


def test_refresh_tokens_rotate_and_a_replayed_one_ends_the_family(acme):
    first = grant(acme)
    second = refresh(acme, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    other = grant(acme)
    assert refresh(acme, first["refresh_token"]).json()["error"] == "invalid_grant"
    assert refresh(acme, second["refresh_token"]).json()["error"] == "invalid_grant"
    assert good_tokens(acme) == [False, False, True]
    assert refresh(acme, other["refresh_token"]).status_code == 200


def test_of_refreshes_at_once_one_succeeds(acme):
    token_of_all = grant(acme)["refresh_token"]
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(each.status_code for each in pool.map(lambda _: refresh(acme, token_of_all), range(8)))
    assert statuses == [200] + [400] * 7


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_revoked_token_ends_its_family_and_an_unknown_one_is_fine(acme, kind):
    granted = grant(acme)
    for given in ("unknown", granted[kind]):
        form = {**SECRET, "token": given, "token_type_hint": kind}
        assert requests.post(f"{acme.url}/oauth/revoke", data=form, timeout=10).status_code == 200
    assert good_tokens(acme) == [False]
    form = {"token": granted[kind], "client_id": "aiffinity", "client_secret": "guessed"}
    assert requests.post(f"{acme.url}/oauth/revoke", data=form, timeout=10).status_code in (400, 401)


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic", "none"])
def test_a_client_proves_itself_in_its_own_way_alone(acme, method):
    acme.control(oauth_client={"auth_method": method})
    statuses = {}
    for tried in ("client_secret_post", "client_secret_basic", "none"):
        code = answer_of(decide(acme))["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        basic = (SECRET["client_id"], SECRET["client_secret"]) if tried == "client_secret_basic" else None
        form |= SECRET if tried == "client_secret_post" else {"client_id": "aiffinity"} if tried == "none" else {}
        statuses[tried] = requests.post(f"{acme.url}/oauth/token", data=form, auth=basic, timeout=10).status_code
    assert [tried for tried, status in statuses.items() if status == 200] == [method]


def test_keys_and_subdomains_are_checked(acme):
    def status(path, **headers):
        return requests.get(f"{acme.url}{path}", headers=headers, timeout=10).status_code

    assert status("/v1/me", **{"X-Api-Key": ADA.api_key}) == 200
    assert status("/v1/me", **{"X-Api-Key": "of-nobody"}) == 401
    assert status("/v1/me") == 401
    assert status(f"/accounts/ada/verify?api_token={ADA.api_token}") == 200
    assert status(f"/accounts/ben/verify?api_token={ADA.api_token}") == 401


@pytest.mark.parametrize("body", [{}, {"oauth": {"unknown": 1}}, {"unknown": 1}, {"signing_secret": ""}])
def test_unknown_controls_are_refused(acme, body):
    assert requests.post(f"{acme.url}/control", json=body, timeout=10).status_code == 400
