"""Hosts and sign-in on the review page: what was approved beside what is there now."""

from packages.console.configuration_changes import ConfigurationChange, configuration_changes
from packages.models import Version
from packages.policy import GateCase
from packages.reviewing.cases import open_review
from packages.versions import add_version
from runtime.auth_profiles import config_parts, put_auth_profile
from runtime.models import RuntimeApp
from tests.packages.conftest import Maker
from tests.packages.console.conftest import review_of
from tests.runtime import documents


def approved(acme: Maker) -> Version:
    """Make a listed version whose approval saw the app's configuration."""
    version = acme.version("listed", risk_tier="action_capable")
    parts = config_parts(RuntimeApp.objects.get(pk=acme.runtime_app.pk))
    Version.objects.filter(pk=version.pk).update(approved_config=parts)
    return Version.objects.select_related("package__app", "package__account").get(pk=version.pk)


def change_configuration(acme: Maker) -> None:
    """Move the app to another host and give it a sign-in."""
    acme.set_runtime(runtime_url="https://data.acmeweather.net/aiffinity")
    runtime_app = RuntimeApp.objects.select_related("app").get(pk=acme.runtime_app.pk)
    put_auth_profile(runtime_app, actor="test", profile=documents.OAUTH2, given_secrets={})


def test_re_review_shows_each_change_beside_what_was_approved(acme: Maker, desk) -> None:
    version = approved(acme)
    review = open_review(version, kind="re_review", cause="runtime_url leads elsewhere")
    assert configuration_changes(review, GateCase(version)) == []
    change_configuration(acme)
    found = configuration_changes(review, GateCase(version))
    moved = ConfigurationChange("runtime_url", "http://127.0.0.1:9/aiffinity", "https://data.acmeweather.net/aiffinity")
    assert moved in found
    assert ConfigurationChange("sign-in: strategy", "none", "oauth2") in found
    page = desk().get(f"/admin/packages/review/{review.pk}/change/")
    assert "Hosts and sign-in" in page
    assert "https://data.acmeweather.net/aiffinity" in page


def test_submission_is_compared_with_what_users_have(acme: Maker) -> None:
    listed = approved(acme)
    change_configuration(acme)
    added = acme.put_into(add_version(listed.package, acme.attempt, {"capabilities": acme.capabilities}), "submitted")
    names = {change.name for change in configuration_changes(review_of(added), GateCase(added))}
    assert {"runtime_url", "token_url", "sign-in: strategy"} <= names


def test_first_listing_has_nothing_to_compare_with(acme: Maker) -> None:
    version = acme.version("submitted", risk_tier="action_capable")
    assert configuration_changes(review_of(version), GateCase(version)) == []
