"""The first chapter, a data_only package; each step calls the API, checks the answer and returns what to print."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from examples.demo import bodies
from examples.demo.console import Console
from examples.demo.http import Answer, Caller
from examples.demo.processes import DemoFailed, read_mail_token

PASSWORD = "sun-and-rain-over-oslo"  # noqa: S105  # Of accounts that live as long as the demo.
PROVIDER_EMAIL = "dev@acmeweather.com"
USER_EMAIL = "somebody@example.com"
EXPECTED_EVENTS = ("package.submitted", "package.published", "install.created", "capability.invoked")


@dataclass
class Story:
    """What one step leaves for the next."""

    platform: Caller
    provider: Caller
    data_dir: Path
    app: dict[str, Any] = field(default_factory=dict)
    developer: Caller | None = None
    server: Caller | None = None
    user: Caller | None = None
    package_id: str = ""
    version_id: str = ""
    capability_id: str = ""
    review_id: str = ""
    install_id: str = ""
    authorization_url: str = ""
    callback: dict[str, str] = field(default_factory=dict)
    console: Console | None = None

    def as_developer(self, method: str, path: str, body: Any = None) -> Answer:
        """Call with the developer's ID token."""
        return self._as(self.developer)(method, path, body)

    def as_server(self, method: str, path: str, body: Any = None) -> Answer:
        """Call with the app's access token."""
        return self._as(self.server)(method, path, body)

    def as_user(self, method: str, path: str, body: Any = None, *, idempotency_key: str = "") -> Answer:
        """Call with the second user's ID token."""
        return self._as(self.user)(method, path, body, idempotency_key=idempotency_key)

    @property
    def version_path(self) -> str:
        """Return the path of the version that the story is about."""
        return f"/v1/providers/packages/manage/{self.package_id}/versions/{self.version_id}"

    def _as(self, caller: Caller | None) -> Caller:
        if caller is None:
            raise DemoFailed("a step ran before the one that it builds on")
        return caller


def expect(answer: Answer, *statuses: int) -> Answer:
    """Raise DemoFailed unless the answer has one of the statuses."""
    if answer.status not in statuses:
        raise DemoFailed(f"expected {statuses}, got {answer.status}: {answer.body}")
    return answer


def give_secret(story: Story, secret: str) -> None:
    """Tell Acme Weather the signing secret of the app that the story goes on with."""
    expect(story.provider("POST", "/control", {"signing_secret": secret}), 200)


def sign_up(story: Story) -> str:
    """Create a developer account."""
    body = {"company_name": "Acme Weather", "email": PROVIDER_EMAIL, "password": PASSWORD}
    account = expect(story.platform("POST", "/v1/providers/account", body), 201).data
    return f"{account['id']}, {account['verification_status']}"


def verify(story: Story) -> str:
    """Read the mail and verify the address."""
    token = read_mail_token(story.data_dir, PROVIDER_EMAIL)
    account = expect(story.platform("POST", "/v1/providers/account/verify", {"token": token}), 200).data
    return str(account["verification_status"])


def log_in(story: Story) -> str:
    """Log in."""
    story.developer = _logged_in(story, PROVIDER_EMAIL)
    return "ID token and refresh token"


def create_app(story: Story) -> str:
    """Create an app."""
    body = {"name": "Acme Weather", "description": "Real-time weather data and forecasts"}
    story.app = expect(story.as_developer("POST", "/v1/providers/apps", body), 201).data
    return str(story.app["client_id"])


def get_token(story: Story) -> str:
    """Exchange the client credentials."""
    body = {
        "grant_type": "client_credentials",
        "client_id": story.app["client_id"],
        "client_secret": story.app["client_secret"],
    }
    token = expect(story.platform("POST", "/v1/providers/auth/token", body), 200).body
    story.server = Caller(story.platform.base_url, token["access_token"])
    return f"{token['token_type']}, {token['expires_in']} s"


def register_runtime(story: Story) -> str:
    """Register the runtime app."""
    body = bodies.runtime_registration(story.app["id"], story.provider.base_url)
    runtime = expect(story.as_server("POST", "/v1/providers/runtime/apps", body), 201).data
    give_secret(story, runtime["signing_secret"])
    return f"{runtime['app_id']}, {runtime['status']}"


def register_templates(story: Story) -> str:
    """Register a template in each of the five modes."""
    path = f"/v1/providers/runtime/apps/{story.app['id']}/capabilities"
    made = [expect(story.as_server("POST", path, body), 201).data for body in bodies.TEMPLATES]
    story.capability_id = made[0]["id"]
    return ", ".join(template["mode"] for template in made)


def set_webhook_profile(story: Story) -> str:
    """Set the webhook profile, then rotate its secret."""
    path = f"/v1/providers/runtime/apps/{story.app['id']}"
    body = bodies.webhook_profile(story.provider.base_url)
    profile = expect(story.as_server("PUT", f"{path}/webhooks", body), 200, 201).data
    rotated = expect(story.as_server("PUT", f"{path}/credential-secret", {}), 200, 201).data
    give_secret(story, rotated["signing_secret"])
    secret = {"value": "wk_live_abc123def456"}
    expect(story.as_server("PUT", f"{path}/secrets/WEATHER_API_KEY", secret), 200, 201)
    return f"{len(profile['events'])} event types, secret rotated, 1 named secret"


def create_package(story: Story) -> str:
    """Draft the package."""
    body = bodies.package(story.app["id"])
    package = expect(story.as_developer("POST", "/v1/providers/packages/manage", body), 201).data
    story.package_id, story.version_id = package["id"], package["versions"][0]["id"]
    return f"{package['slug']} {package['versions'][0]['version']}, {package['status']}"


def validate(story: Story) -> str:
    """Run the conformance suite."""
    run = expect(story.as_developer("POST", f"{story.version_path}/validate"), 200).data
    if run["score"] < 80:
        raise DemoFailed(f"the score is {run['score']}: {run['dimensions']}")
    scores = ", ".join(f"{name} {part['score']:.0f}" for name, part in run["dimensions"].items())
    return f"score {run['score']:.0f} ({scores})"


def submit(story: Story) -> str:
    """Submit; data_only is listed by the system."""
    expect(story.as_developer("POST", f"{story.version_path}/submit"), 200)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        version = expect(story.as_developer("GET", story.version_path), 200).data
        if version["state"] == "listed":
            return "every gate passes, listed at once"
        time.sleep(0.5)
    raise DemoFailed(f"not listed within 30 s: {version}")


def browse(story: Story) -> str:
    """Find the package in the public catalog."""
    found = expect(story.platform("GET", "/v1/providers/packages/catalog?q=weather"), 200).data
    if [listing["id"] for listing in found] != [story.package_id]:
        raise DemoFailed(f"the catalog answers {found}")
    return f"“weather” finds {found[0]['name']} by {found[0]['publisher']['name']}"


def install(story: Story) -> str:
    """Sign a second user up and install."""
    body = {"company_name": "Somebody", "email": USER_EMAIL, "password": PASSWORD}
    expect(story.platform("POST", "/v1/providers/account", body), 201)
    token = read_mail_token(story.data_dir, USER_EMAIL)
    expect(story.platform("POST", "/v1/providers/account/verify", {"token": token}), 200)
    story.user = _logged_in(story, USER_EMAIL)
    path = f"/v1/space/marketplace/{story.package_id}/install"
    installed = expect(story.as_user("POST", path), 201).data
    return str(installed["id"])


def invoke(story: Story) -> str:
    """Invoke the state capability."""
    answer = _invoke(story)
    if answer["cached"] is not False:
        raise DemoFailed(f"the first answer is cached: {answer}")
    data = answer["data"]
    return f"{data['location']} {data['temperature_c']} °C, {data['condition']}, in {answer['latency_ms']} ms"


def invoke_again(story: Story) -> str:
    """Invoke again and read the cached state."""
    answer = _invoke(story)
    state = expect(story.as_user("GET", f"/v1/providers/capabilities/{story.capability_id}/state"), 200).data
    if answer["cached"] is not True or state["data"] != answer["data"]:
        raise DemoFailed(f"not from the cache: {answer}, {state}")
    return f"cached, ttl {state['ttl']} s"


def receive_webhooks(story: Story) -> str:
    """Wait until Acme Weather has received and verified its webhooks."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        events = expect(story.provider("GET", "/control/received"), 200).body["events"]
        verified = [event for event in events if event["is_verified"]]
        missing = set(EXPECTED_EVENTS) - {event["type"] for event in verified}
        if not missing:
            both = sum("standard_webhooks" in event["signatures"] for event in verified)
            return f"{len(verified)} verified, {both} of them by both signatures"
        time.sleep(0.2)
    raise DemoFailed(f"not received within 30 s: {sorted(missing)}; received: {events}")


def suspend(story: Story) -> str:
    """Suspend the version; the next call is refused."""
    expect(story.as_developer("POST", f"{story.version_path}/suspend", {"reason": "Maintenance"}), 200)
    path = f"/v1/providers/capabilities/{story.capability_id}/invoke"
    refused = expect(story.as_user("POST", path, {"params": {"location": "Oslo"}}), 503)
    catalog = expect(story.platform("GET", "/v1/providers/packages/catalog"), 200)
    if refused.error_code != "CAPABILITY_SUSPENDED" or catalog.data:
        raise DemoFailed(f"still served: {refused.body}, {catalog.data}")
    return f"a call gets {refused.status} {refused.error_code}, the catalog is empty"


STEPS: tuple[tuple[str, Callable[[Story], str]], ...] = (
    ("sign up", sign_up),
    ("verify the mail address", verify),
    ("log in", log_in),
    ("create an app", create_app),
    ("get an access token", get_token),
    ("register the runtime", register_runtime),
    ("register five templates", register_templates),
    ("set webhooks and secrets", set_webhook_profile),
    ("create a package", create_package),
    ("validate", validate),
    ("submit", submit),
    ("browse the catalog", browse),
    ("second user installs", install),
    ("invoke", invoke),
    ("invoke again", invoke_again),
    ("webhooks arrive", receive_webhooks),
    ("suspend", suspend),
)


def _invoke(story: Story) -> Any:
    path = f"/v1/providers/capabilities/{story.capability_id}/invoke"
    return expect(story.as_user("POST", path, {"params": {"location": "Oslo"}}), 200).data


def _logged_in(story: Story, email: str) -> Caller:
    body = {"email": email, "password": PASSWORD}
    tokens = expect(story.platform("POST", "/v1/providers/account/login", body), 200).data
    return Caller(story.platform.base_url, tokens["id_token"])
