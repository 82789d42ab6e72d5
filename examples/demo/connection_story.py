"""The third chapter: an app whose users connect their accounts at Acme Weather by OAuth."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from examples.acme_weather.access import ADA, TEST_TOKEN
from examples.demo import bodies
from examples.demo.console import Console
from examples.demo.http import Answer
from examples.demo.processes import DemoFailed
from examples.demo.story import Story, expect, give_secret, submit, validate

RUNTIME = "/v1/providers/runtime/apps"
PACKAGES = "/v1/providers/packages/manage"
# So short that the demo can wait for its end.
ACCESS_TOKEN_SECONDS = 6
LIFE_OF_EVENTS = ("connection.created", "connection.revoked")


def register_app(story: Story) -> str:
    """Register a second app at the same service, with the one capability that needs to know the user."""
    registration = {**bodies.runtime_registration("", story.provider.base_url), "name": "Acme Stations"}
    del registration["app_id"]
    story.app = expect(story.as_server("POST", RUNTIME, registration), 201).data
    give_secret(story, story.app["signing_secret"])
    path = f"{RUNTIME}/{story.app['app_id']}/capabilities"
    template = expect(story.as_server("POST", path, bodies.MY_STATIONS), 201).data
    story.capability_id = template["id"]
    return f"{story.app['app_id']} with {template['name']}"


def set_auth_profile(story: Story) -> str:
    """Make the platform a client of Acme's authorization server, and tell the platform how to connect."""
    redirect_uri = f"{story.platform.base_url}/v1/space/connections/callback/{story.app['app_id']}"
    client = {"redirect_uri": redirect_uri}
    switches = {"access_token_seconds": ACCESS_TOKEN_SECONDS}
    expect(story.provider("POST", "/control", {"oauth_client": client, "oauth": switches}), 200)
    body = bodies.auth_profile(story.provider.base_url, TEST_TOKEN)
    answer = expect(story.as_server("PUT", f"{RUNTIME}/{story.app['app_id']}/auth", body), 200, 201)
    if body["oauth2"]["client_secret"] in str(answer.body) or TEST_TOKEN in str(answer.body):
        raise DemoFailed(f"a secret was answered: {answer.body}")
    profile = answer.data["oauth2"]
    return f"{answer.data['strategy']} with PKCE and {profile['token_endpoint_auth_method']}, no secret answered"


def draft(story: Story) -> str:
    """Draft the package of that app."""
    package = expect(story.as_developer("POST", PACKAGES, bodies.stations_package(story.app["app_id"])), 201).data
    story.package_id, story.version_id = package["id"], package["versions"][0]["id"]
    return f"{package['slug']} 1.0.0, {package['status']}"


def install(story: Story) -> str:
    """Install as the user of the other chapters; nothing works before the user connects."""
    path = f"/v1/space/marketplace/{story.package_id}/install"
    installed = expect(story.as_user("POST", path), 201).data
    story.install_id = installed["id"]
    refused = expect(_invoke(story), 422)
    if refused.error_code != "CONNECTION_REQUIRED" or not installed["connection"]["required"]:
        raise DemoFailed(f"not asked to connect: {installed}, {refused.body}")
    return f"{story.install_id}; a call gets {refused.status} {refused.error_code}"


def begin(story: Story) -> str:
    """Ask where the user goes."""
    begun = expect(story.as_user("POST", _connection(story), {}), 200).data
    story.authorization_url = begun["authorization_url"]
    query = parse_qs(urlsplit(story.authorization_url).query)
    method, scopes = query["code_challenge_method"][0], query["scope"][0]
    return f"{story.authorization_url.partition('?')[0]}, PKCE {method}, scopes {scopes}"


def consent(story: Story) -> str:
    """Log in at Acme and say yes, as a browser does, and come back to the platform's page."""
    browser = Console(story.provider.base_url)
    page = browser.open(story.authorization_url.removeprefix(story.provider.base_url))
    asked = page.form_to("/oauth/authorize")
    back = browser.post(asked, ticked="Log in and allow", email=ADA.email, password=ADA.password)
    if "said yes" not in back.text or not back.url.startswith(story.platform.base_url):
        raise DemoFailed(f"{back.url} ({back.status}): {back.text}")
    story.callback = {name: values[0] for name, values in parse_qs(urlsplit(back.url).query).items()}
    return f"{ADA.email} allows it; the platform's page: {back.text.partition('One step')[0].split('✓')[-1].strip()}"


def complete(story: Story) -> str:
    """Hand code and state over with the user's own token; the second time they are worth nothing."""
    path = f"{_connection(story)}/complete"
    made = expect(story.as_user("POST", path, story.callback), 200).data
    refused = expect(story.as_user("POST", path, story.callback), 422)
    return f"{made['id']} is {made['status']}; the same state again gets {refused.status}"


def invoke(story: Story) -> str:
    """Invoke with the user's access token; Acme answers what is theirs."""
    answer = expect(_invoke(story), 200).data
    if answer["data"]["account"] != ADA.email:
        raise DemoFailed(f"another account answered: {answer}")
    return f"{answer['data']['account']}: {', '.join(answer['data']['stations'])}"


def invoke_after_the_end(story: Story) -> str:
    """Wait for the access token's end and invoke again: the platform renews it on the way."""
    for _ in _until(2 * ACCESS_TOKEN_SECONDS):
        if not _tokens(story)[0]["is_good"]:
            break
    expect(_invoke(story, limit=1), 200)
    tokens = _tokens(story)
    if len(tokens) < 2 or not tokens[0]["is_replaced"]:
        raise DemoFailed(f"nothing was renewed: {tokens}")
    return f"its {ACCESS_TOKEN_SECONDS} s are over; {len(tokens)} pairs of tokens so far, each refresh token used once"


def uninstall(story: Story) -> str:
    """Uninstall: the tokens are revoked at Acme, then erased, and Acme hears of it by a signed webhook."""
    began_at = time.monotonic()
    expect(story.as_user("DELETE", f"/v1/space/marketplace/{story.package_id}/install"), 200)
    expect(story.as_user("GET", _connection(story)), 404)
    for _ in _until(30):
        if all(token["is_revoked"] for token in _tokens(story)):
            break
    took_ms = (time.monotonic() - began_at) * 1000
    for _ in _until(30):
        told = {event["type"] for event in _received(story)["events"] if event["is_verified"]}
        if told.issuperset(LIFE_OF_EVENTS):
            return (
                f"all {len(_tokens(story))} pairs revoked at Acme after {took_ms:.0f} ms; {', '.join(LIFE_OF_EVENTS)}"
            )
    raise DemoFailed(f"not revoked and told within 30 s: {_tokens(story)}, {told}")


STEPS: tuple[tuple[str, Callable[[Story], str]], ...] = (
    ("register a second app", register_app),
    ("set an OAuth profile", set_auth_profile),
    ("draft a package", draft),
    ("validate", validate),
    ("submit", submit),
    ("user installs", install),
    ("begin to connect", begin),
    ("user says yes at Acme", consent),
    ("complete the connection", complete),
    ("invoke as the user", invoke),
    ("invoke with an ended token", invoke_after_the_end),
    ("uninstall", uninstall),
)


def _connection(story: Story) -> str:
    return f"/v1/space/installs/{story.install_id}/connection"


def _invoke(story: Story, **params: Any) -> Answer:
    path = f"/v1/providers/capabilities/{story.capability_id}/invoke"
    return story.as_user("POST", path, {"params": params})


def _received(story: Story) -> Any:
    return expect(story.provider("GET", "/control/received"), 200).body


def _tokens(story: Story) -> Any:
    return _received(story)["oauth"]["tokens"]


def _until(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.1)
