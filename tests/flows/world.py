"""Two providers with one object of every kind each, a user with an install, and tokens of all of them."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.utils import timezone

from aiffinity.lib.canonical import content_hash
from aiffinity.lib.crypto import Secret
from aiffinity.lib.ids import new_id
from capabilities.cached_states import StateKey, keep_state
from capabilities.installs import install_package
from capabilities.models import Install
from packages.models import Package, ReviewKind, ValidationRun, Version
from packages.reviewing.cases import open_review
from providers.models import Account, App, User
from runtime.auth_profiles import put_auth_profile
from runtime.deliveries.recovering import recover_deliveries
from runtime.models import Delivery, Recovery, WebhookEndpoint
from runtime.named_secrets import set_named_secret
from tests.flows.calls import CATALOG_ROUTES
from tests.published import TASK, WEATHER, Published, publish
from tests.runtime import documents

__all__ = ["publish", "world"]

HOOKS = "https://acmeweather.com/webhooks/aiffinity"
OSLO = {"location": "Oslo"}
PREFIXES = {
    "app_id": "app",
    "delivery_id": "dlv",
    "recovery_id": "rcv",
    "package_id": "pkg",
    "version_id": "ver",
    "run_id": "run",
    "review_id": "rev",
    "capability_id": "cap",
    "install_id": "inst",
    "id_or_slug": "pkg",
}


@dataclass(frozen=True)
class Provider:
    """A provider's tokens, and the ids and names of its objects by the names that paths give them."""

    account: Account
    token: str
    app_token: str
    objects: dict[str, str]
    draft: Package
    published: Published


@dataclass(frozen=True)
class World:
    """The one whose objects they are, the one who wants them, and a user of the first one's package."""

    owner: Provider
    stranger: Provider
    consumer_token: str
    plain_user_token: str

    def good_token(self, path: str) -> str:
        """Return the token with which a route's good call is made."""
        is_users = path.startswith(("/v1/space/", "/v1/providers/capabilities/{")) or path in CATALOG_ROUTES
        return self.consumer_token if is_users else self.owner.token

    def token_of_stranger(self, caller: str) -> str:
        """Return the token of the other account, of its app, or of a user without an account."""
        tokens = {"account": self.stranger.token, "app": self.stranger.app_token, "user": self.plain_user_token}
        return tokens[caller]

    def good_objects(self, path: str) -> dict[str, str]:
        """Return the ids and names for a route's good call."""
        name = "create_task" if path.endswith("/action") else "current_weather"
        return {**self.owner.objects, "capability_id": self.owner.published.capability_id(name)}


def missing(parameter: str) -> str:
    """Return an id of the right kind that nothing has."""
    return new_id(PREFIXES[parameter])


@pytest.fixture
def world(
    publish: Callable[..., Published],
    make_user: Callable[..., User],
    make_app: Callable[..., App],
    make_account: Callable[..., Account],
    id_token: Callable[..., str],
    access_token: Callable[..., str],
) -> World:
    """Make both providers and the users."""

    def provider(company_name: str, user: User) -> Provider:
        account = make_account(company_name)
        published = publish(WEATHER, TASK, account=account, webhook_url=HOOKS)
        objects = {**_runtime_objects(published), **_package_objects(published, user)}
        token_app = make_app(account, name="Console")
        return Provider(account, id_token(account), access_token(token_app), objects, _draft(published), published)

    consumer = make_user()
    return World(
        provider("Acme Weather", consumer),
        provider("Other Company", make_user()),
        id_token(consumer),
        id_token(make_user()),
    )


def _runtime_objects(published: Published) -> dict[str, str]:
    runtime_app = published.runtime_app
    set_named_secret(runtime_app, "WEATHER_KEY", Secret("a-secret-value"), actor="test")
    changed = put_auth_profile(runtime_app, actor="test", profile=documents.OAUTH2, given_secrets={})
    published.set_version(approved_config_hash=changed.config_hash)
    return {"app_id": runtime_app.pk, "name": "current_weather", "key": "WEATHER_KEY"}


def _package_objects(published: Published, user: User) -> dict[str, str]:
    version = published.version
    install, _ = install_package(user, published.package, actor="test")
    _keep_weather(published, install)
    run = ValidationRun.objects.create(
        version=version, state="passed", score=92.0, content_hash=version.content_hash, finished_at=timezone.now()
    )
    return {
        "delivery_id": Delivery.objects.filter(event__app=published.app.pk).latest("created_at").pk,
        "recovery_id": _recover(published).pk,
        "package_id": published.package.pk,
        "version_id": version.pk,
        "run_id": run.pk,
        "review_id": open_review(version, kind=ReviewKind.RE_REVIEW).pk,
        "capability_id": published.capability_id(),
        "install_id": install.pk,
        "id_or_slug": published.package.pk,
    }


def _keep_weather(published: Published, install: Install) -> None:
    key = StateKey(install.pk, published.capability_id(), published.version.pk, content_hash(OSLO))
    weather = {"location": "Oslo", "temperature_c": 4.5, "condition": "rainy"}
    keep_state(key, weather, ttl_seconds=900, invocation_id=new_id("inv"))


def _recover(published: Published) -> Recovery:
    endpoint = WebhookEndpoint.objects.select_related("runtime_app__app").get(pk=published.app.pk)
    return recover_deliveries(endpoint, since=timezone.now(), actor="test")


def _draft(published: Published) -> Package:
    """Make a package that was never listed."""
    package = Package.objects.create(
        account=published.account,
        app=published.app,
        name="Not listed yet",
        slug=f"draft-{published.package.slug}",
        description="Nobody else knows of it",
    )
    Version.objects.create(
        package=package,
        version="1.0.0",
        risk_tier="data_only",
        capabilities=published.version.capabilities[:1],
        content_hash=published.version.content_hash,
    )
    return package
