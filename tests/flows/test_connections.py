"""The whole story of a connection over HTTP, with Acme Weather's real authorization server in its own process."""

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from capabilities.installs import install_package
from runtime.connections.authorization import callback_url
from runtime.connections.revoking import revoke_due_connections
from runtime.models import AuthorizationRequest, Connection
from tests.connected import CLIENT, STATIONS, consent, consent_page, oauth2, weather_of
from tests.flows.browser import LEAST_CONTRAST
from tests.flows.leaks import collected_logs

MARKUP = '"><script>alert(document.domain)</script><img src=x onerror=alert(1)>'


def callback(published, **query):
    """Return the redirect URI of an app with what its provider adds, without the platform's origin."""
    return f"/v1/space/connections/callback/{published.app.pk}?{urlencode(query)}"


def show(weather, **query):
    return weather.api.get(callback(weather.published, **query))


def return_link(response):
    """Return the parameters that the page hands to the Aiffinity app."""
    text = response.content.decode()
    url = text.partition('class="button" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert url.startswith("aiffinity://connections/complete?"), text
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def story_of(weather):
    profile = {"strategy": "oauth2", "oauth2": {**oauth2(weather.acme), **CLIENT}}
    path = f"/v1/providers/runtime/apps/{weather.published.app.pk}/auth-profile"
    return path, profile


@pytest.mark.django_db(transaction=True)
def test_connect_use_uninstall(weather, id_token):
    path, profile = story_of(weather)
    answered = weather.api.put(path, profile, token=id_token(weather.published.account))
    assert answered.status_code == 200
    assert CLIENT["client_secret"] not in answered.content.decode()
    weather.published.set_version(approved_config_hash=weather.runtime_app.config_hash)

    missing = weather.invoke()
    assert (missing.status_code, missing.json()["error"]["code"]) == (422, "CONNECTION_REQUIRED")
    page = show(weather, **consent(weather.begin()["authorization_url"]))
    assert "Acme Weather said yes" in page.content.decode()
    completed = weather.complete(**return_link(page))
    assert completed.json()["data"] == {
        "id": weather.connection.pk,
        "install_id": weather.install.pk,
        "required": True,
        "strategy": "oauth2",
        "status": "active",
        "scopes": ["weather:read"],
        "instructions": None,
        "fields": [],
        "connected_at": completed.json()["data"]["connected_at"],
        "expires_at": completed.json()["data"]["expires_at"],
    }
    answer = weather.invoke().json()["data"]
    assert answer["data"] == {"account": "ada@example.com", "stations": ["Ada's roof", "Ada's harbour"]}
    [install] = weather.api.get("/v1/space/installs", token=weather.token).json()["data"]
    assert install["connection"] == {"required": True, "status": "active"}
    detail = weather.api.get(
        f"/v1/providers/packages/{weather.published.package.pk}/installability", token=weather.token
    ).json()["data"]
    assert "connection_required" not in [reason["code"] for reason in detail["reasons"]]

    removed = weather.api.delete(f"/v1/space/marketplace/{weather.published.package.pk}/install", token=weather.token)
    assert removed.json()["data"]["connection"] == {"required": True, "status": "none"}
    assert weather.call("GET").status_code == 404
    assert revoke_due_connections() == 1
    assert not Connection.objects.exists()
    assert [token["is_revoked"] for token in weather.acme.oauth()["tokens"]] == [True]
    assert weather.events() == ["connection.created", "connection.revoked"]


@pytest.mark.django_db
def test_the_page_exchanges_nothing_and_tells_nobody(weather):
    given = consent(weather.begin()["authorization_url"])
    with collected_logs() as logs:
        pages = [show(weather, **given), weather.api("HEAD", callback(weather.published, **given))]
    assert weather.acme.oauth()["requests"] == []
    assert AuthorizationRequest.objects.get().used_at is None
    for page in pages:
        assert page.status_code == 200
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Frame-Options"] == "DENY"
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "Set-Cookie" not in page.headers
    assert "<script" not in pages[0].content.decode()
    assert callback(weather.published).rstrip("?") in logs.getvalue()
    assert given["code"] not in logs.getvalue()
    assert given["state"] not in logs.getvalue()
    assert weather.api.post(callback(weather.published), {}).status_code == 405


@pytest.mark.django_db
def test_what_the_provider_sends_is_inert(weather):
    weather.published.app.__class__.objects.update(name=f"Acme {MARKUP}")
    state = weather.begin()["state"]
    for query in (
        {"error": "access_denied", "error_description": MARKUP, "error_uri": "javascript:alert(1)"},
        {"error": MARKUP, "error_description": MARKUP},
        {"code": MARKUP},
        {"code": "good-code", "iss": MARKUP},
        {},
    ):
        text = show(weather, state=state, **query).content.decode()
        assert "<script" not in text
        assert "<img" not in text
        assert "javascript:" not in text
        assert "&lt;script&gt;" in text, "the app's name stands there as text"
    assert "did not connect" in show(weather, state=state, error="access_denied").content.decode()
    assert return_link(show(weather, state=state, error="access_denied", code="x"))["error"] == "access_denied"
    assert return_link(show(weather, state=state, error=MARKUP)) == {"error": "provider_error", "state": state}


@pytest.mark.django_db
def test_a_state_that_does_not_count_gets_a_page_without_a_link(weather):
    given = consent(weather.begin()["authorization_url"])
    odd = [{}, {"state": "x" * 43, "code": "c"}, {"state": MARKUP}, {"state": "\x00" * 30}]
    AuthorizationRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for query in (*odd, given):
        response = show(weather, **query)
        assert response.status_code == 400
        assert "This link is no longer good" in response.content.decode()
        assert "aiffinity:" not in response.content.decode()
    for place in ("", "/app_01J8XKWM3N4QR5STVYZ2BCDEFG", "/" + "x" * 5000, "/%0A", "/<b>"):
        page = weather.api.get(f"/v1/space/connections/callback{place}?{urlencode(given)}")
        assert (page.status_code, page.headers["Content-Type"].partition(";")[0]) == (400, "text/html")


@pytest.mark.django_db
def test_a_code_that_comes_back_to_another_app_is_not_handed_on(weather, publish):
    """The mix-up attack (RFC 9700 section 4.4.1).

    The attacker's provider sends a user who connects with it on to Acme's consent page, with the challenge of a
    connection that the attacker began there. Handed on, Acme's code would go to the attacker's token endpoint.
    """
    theirs = publish(STATIONS, runtime_url=f"{weather.acme.url}/aiffinity")
    rogue = weather_of(weather.api, weather.acme, theirs, weather.user, weather.token)
    weather.acme.control(oauth_client={"redirect_uri": callback_url(weather.runtime_app)})
    at_acme, at_rogue = weather.begin(), rogue.begin()
    came_back = consent(at_acme["authorization_url"].replace(at_acme["state"], at_rogue["state"]))
    assert came_back["state"] == at_rogue["state"]
    page = show(weather, **came_back)
    assert (page.status_code, "This link is no longer good" in page.content.decode()) == (400, True)
    assert came_back["code"] not in page.content.decode()
    nowhere = weather.api.get(f"/v1/space/connections/callback?{urlencode(came_back)}")
    assert (nowhere.status_code, came_back["code"] in nowhere.content.decode()) == (400, False)
    refused = consent_page(at_rogue["authorization_url"])
    assert refused.status_code == 400, "Acme sends nobody to the redirect URI of another app"
    assert weather.acme.oauth()["requests"] == []


@pytest.mark.django_db
def test_the_list_of_installs_asks_the_same_for_one_connection_and_for_many(weather, publish):
    weather.connect()

    def queries():
        with CaptureQueriesContext(database) as captured:
            answer = weather.api.get("/v1/space/installs", token=weather.token)
        return len(answer.json()["data"]), len(captured)

    queries()
    before = queries()
    row = weather.connection
    for _ in range(5):
        install, _ = install_package(weather.user, publish().package, actor="test")
        Connection.objects.create(
            install_id=install.pk,
            runtime_app=row.runtime_app,
            user=row.user,
            strategy="oauth2",
            sealed_content=row.sealed_content,
            authority_hash=row.authority_hash,
            connected_at=timezone.now(),
        )
    after = queries()
    assert (before[0], after[0]) == (1, 6)
    assert after[1] == before[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.django_db(transaction=True)
def test_the_page_in_a_browser(weather, open_window, scheme):
    window = open_window(color_scheme=scheme)
    window.page.set_viewport_size({"width": 520, "height": 620})
    given = consent(weather.begin()["authorization_url"])
    outcomes = {
        "ready": given,
        "denied": {"state": given["state"], "error": "access_denied"},
        "failed": {"state": given["state"], "error": "server_error", "error_description": MARKUP},
        "expired": {"state": "x" * 43, "code": "c"},
    }
    for name, query in outcomes.items():
        window.open(callback(weather.published, **query))
        window.page.get_by_role("heading", level=1).wait_for()
        window.picture(f"connection-{name}-{scheme}")
        assert window.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert window.page.evaluate(LEAST_CONTRAST) >= 4.5
    # An answer of 400 is an error line of the browser's console; the policy refuses nothing.
    assert [line for line in window.refused if "400" not in line] == []
    assert (window.dialogs, window.foreign) == ([], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.django_db(transaction=True)
def test_acmes_consent_page_is_legible(weather, open_window, scheme):
    window = open_window(color_scheme=scheme)
    page = consent_page(weather.begin()["authorization_url"]).text
    style = requests.get(f"{weather.acme.url}/oauth/style.css", timeout=10).text
    # The window reaches nothing but the platform.
    window.page.set_content(page.replace('<link rel="stylesheet" href="/oauth/style.css">', f"<style>{style}</style>"))
    assert window.page.evaluate(LEAST_CONTRAST) >= 4.5
