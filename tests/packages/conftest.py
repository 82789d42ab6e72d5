"""Fixtures of the packages room: a provider with a runtime app, and packages in any state."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from celery.contrib.testing.worker import start_worker
from django.contrib.auth.models import Group
from django.utils import timezone

from aiffinity.celery import celery_app
from packages.groups import ensure_groups
from packages.guards import Attempt, Role
from packages.models import Package, Review, RunState, ValidationRun, Version
from packages.publishing import create_package
from packages.reviewing.cases import open_review
from packages.versions import add_version
from providers.models import Account, User
from runtime.models import Event, RuntimeApp, WebhookEndpoint
from runtime.registration import register_runtime_app
from runtime.signing_secrets import set_signing_secret
from tests.approvals import approve_as_rows
from tests.fakes.switches import SIGNING_SECRET
from tests.runtime import documents

MANAGE = "/v1/providers/packages/manage"
UNREACHABLE = "http://127.0.0.1:9"
HOUR = timedelta(hours=1)

_numbers = itertools.count(1)


@dataclass
class Maker:
    """A provider's account with a runtime app, and a caller of the packages API as its owner."""

    account: Account
    runtime_app: RuntimeApp
    token: str
    api: Any
    capabilities: list[Any] = field(default_factory=lambda: [documents.STATE])

    @property
    def attempt(self) -> Attempt:
        """The provider as the one who tries something."""
        return Attempt(actor=f"user:{self.account.owner_id}", role=Role.PROVIDER, user=self.account.owner)

    def __call__(self, method: str, path: str = "", body: Any = None, **kwargs: Any) -> Any:
        """Send a request to a path below `/v1/providers/packages/manage`."""
        return self.api(method, f"{MANAGE}{path}", body, **{"token": self.token, **kwargs})

    def body(self, **fields: Any) -> dict[str, Any]:
        """Return a body that creates a package."""
        number = next(_numbers)
        return {
            "appId": self.runtime_app.pk,
            "name": "Acme Weather",
            "slug": f"acme-weather-{number}",
            "description": "Current conditions and forecasts for any place.",
            "riskTier": "data_only",
            "capabilities": self.capabilities,
            **fields,
        }

    def package(self, **fields: Any) -> Package:
        """Make a package by its verb."""
        given = {
            "app_id": self.runtime_app.pk,
            "name": "Acme Weather",
            "slug": f"acme-weather-{next(_numbers)}",
            "description": "Current conditions and forecasts for any place.",
            "risk_tier": "data_only",
            "capabilities": self.capabilities,
            "category": "weather",
            "keywords": ["rain"],
            "support_url": "https://acmeweather.com/support",
            "privacy_policy_url": "https://acmeweather.com/privacy",
            **fields,
        }
        return create_package(self.account, self.attempt, given)

    def version(self, state: str = "draft", package: Package | None = None, **fields: Any) -> Version:
        """Make a version and put it into a state, with what belongs to it: a passed run, a review, an approval."""
        if package is None:
            version = self.package(**fields).versions.get()
        else:
            version = add_version(package, self.attempt, {"capabilities": self.capabilities, **fields})
        return self.put_into(version, state)

    def put_into(self, version: Version, state: str) -> Version:
        """Put a version into a state, as rows."""
        now = timezone.now()
        columns: dict[str, Any] = {"state": state}
        if state != "draft":
            pass_run(version)
        if state not in ("draft", "validated"):
            columns |= {"submitted_by": self.account.owner, "submitted_at": now, "first_submitted_at": now}
        if state in ("in_review", "changes_requested") or (state == "submitted" and version.risk_tier != "data_only"):
            review = open_review(version)
            Review.objects.filter(pk=review.pk).update(is_awaiting_provider=state == "changes_requested")
        if state in ("approved", "listed", "superseded", "suspended"):
            columns |= {
                "approved_at": now,
                "approved_content_hash": version.content_hash,
                "approved_config_hash": self.config_hash,
            }
            approve_as_rows(version, self.config_hash)
        if state in ("listed", "superseded", "suspended"):
            columns["listed_at"] = now
            Package.objects.filter(pk=version.package_id).update(listed_at=now)
        if state == "suspended":
            columns["suspended_by"] = "provider"
        Version.objects.filter(pk=version.pk).update(**columns)
        return Version.objects.select_related("package__app", "package__account").get(pk=version.pk)

    @property
    def config_hash(self) -> str:
        """The hash of the app's configuration as it is now."""
        return RuntimeApp.objects.get(pk=self.runtime_app.pk).config_hash

    def set_runtime(self, **columns: Any) -> None:
        """Change columns of the runtime app."""
        RuntimeApp.objects.filter(pk=self.runtime_app.pk).update(**columns)

    def set_account(self, **columns: Any) -> None:
        """Change columns of the account."""
        Account.objects.filter(pk=self.account.pk).update(**columns)

    def subscribe(self) -> None:
        """Subscribe to every event."""
        self.account.apps.update(webhook_url="https://acmeweather.com/webhooks/aiffinity")
        WebhookEndpoint.objects.update_or_create(runtime_app=self.runtime_app, defaults={"events": ["*"]})

    def events(self) -> list[str]:
        """Return the types of the events so far, oldest first."""
        return list(
            Event.objects.filter(app=self.runtime_app.pk).order_by("created_at", "pk").values_list("type", flat=True)
        )


def pass_run(version: Version, *, score: float = 92.0, age: timedelta = HOUR, **columns: Any) -> ValidationRun:
    """Write a run that passed for the version's content."""
    run = ValidationRun.objects.create(
        version=version,
        **{
            "state": RunState.PASSED,
            "score": score,
            "content_hash": version.content_hash,
            "finished_at": timezone.now() - age,
            **columns,
        },
    )
    ValidationRun.objects.filter(pk=run.pk).update(created_at=timezone.now() - age)
    return run


@pytest.fixture
def maker(
    api: Any, make_account: Callable[..., Account], id_token: Callable[..., str], db: None
) -> Callable[..., Maker]:
    """Return a factory of providers; their runtime app is unreachable unless `url` says where it is."""

    def make(url: str = UNREACHABLE, **fields: Any) -> Maker:
        account = make_account()
        runtime_app = register_runtime_app(
            account,
            actor="test",
            fields={
                "name": "Acme Weather",
                "description": "Weather",
                "runtime_url": f"{url}/aiffinity",
                "health_check_url": f"{url}/health",
                "logo_url": "https://acmeweather.com/logo-512.png",
                **fields,
            },
        ).runtime_app
        set_signing_secret(runtime_app, actor="test", value=SIGNING_SECRET)
        fresh = RuntimeApp.objects.select_related("app").get(pk=runtime_app.pk)
        return Maker(account, fresh, id_token(account), api)

    return make


@pytest.fixture
def acme(maker: Callable[..., Maker]) -> Maker:
    """A provider whose runtime app answers nobody."""
    return maker()


@pytest.fixture
def make_reviewer(make_user: Callable[..., User]) -> Callable[..., User]:
    """Return a factory of staff in a group of reviewers."""

    def make(group: str = "reviewer", **fields: Any) -> User:
        ensure_groups()
        user = make_user(is_staff=True, **fields)
        user.groups.add(Group.objects.get(name=group))
        return User.objects.get(pk=user.pk)

    return make


@pytest.fixture
def worker() -> Iterator[None]:
    """Run a worker in a thread of this process; it takes what the broker has, and nothing from before."""
    celery_app.control.purge()
    celery_app.loader.import_default_modules()
    with start_worker(celery_app, pool="solo", perform_ping_check=False):
        yield


def as_reviewer(user: User, version: Version | None = None, reason: str = "") -> Attempt:
    """Return a reviewer as the one who tries something, having seen a version as it is now."""
    config_hash = ""
    if version is not None:
        config_hash = RuntimeApp.objects.get(pk=version.package.app_id).config_hash
    return Attempt(
        actor=f"user:{user.pk}",
        role=Role.REVIEWER,
        user=user,
        reason=reason,
        seen_content_hash=version.content_hash if version else "",
        seen_config_hash=config_hash,
    )
