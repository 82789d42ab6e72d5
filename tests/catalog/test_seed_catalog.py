"""`manage.py seed_catalog`: what it makes obeys the rules that the platform's own verbs keep."""

import io
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client

from catalog.seeding.shapes import BROKEN, MODES_OF_TIER, WIDENED, Shape, descriptors_of
from catalog.seeding.themes import THEMES
from packages.categories import CATEGORY_SLUGS
from packages.configuration import is_covered
from packages.conformance.backtest import backtest_check
from packages.conformance.runner import wanting_runs
from packages.descriptors import hash_of
from packages.drift import compare
from packages.listing import list_submitted_versions
from packages.models import Package, Review, RiskTier, Version, VersionState
from packages.policy import evaluate_gates, reviewer_reasons
from packages.publishing import check_slug
from packages.reviewing.approvers import approvals_missing
from packages.reviewing.claims import release_expired_claims
from packages.reviewing.re_reviews import open_re_reviews
from packages.suspension import delist_orphans, lapse_approvals
from providers.models import User
from runtime.descriptors import MODES, least_tier
from runtime.models import Event, RuntimeApp
from runtime.risk_tiers import RISK_TIERS

pytestmark = pytest.mark.django_db

OPEN = (VersionState.SUBMITTED, VersionState.IN_REVIEW)


def seed(packages: int, **options: Any) -> str:
    out = io.StringIO()
    call_command("seed_catalog", packages=packages, stdout=out, **options)
    # What is checked at commit is checked here: the approvals of everything listed among it.
    connection.check_constraints()
    return out.getvalue()


def contents() -> Any:
    """What was made, without ids, secrets and moments."""
    listings = Package.objects.values_list(
        "slug", "name", "description", "category", "keywords", "images", "install_count", "account__company_name"
    )
    versions = Version.objects.values_list("package__slug", "version", "state", "risk_tier", "changelog")
    reviews = Review.objects.values_list("version__package__slug", "kind", "outcome", "claimed_by__email")
    return tuple(sorted(map(repr, rows)) for rows in (listings, versions, reviews))


def test_it_makes_packages_of_every_category_and_tells_how_far_it_is():
    told = seed(60)
    assert told.splitlines()[0].startswith("60 of 60 packages, ")
    assert f"Added 60 packages with {Version.objects.count()} versions in " in told
    assert Package.objects.count() == 60
    assert set(Package.objects.values_list("category", flat=True)) == set(CATEGORY_SLUGS)
    assert {theme.category for theme in THEMES} == set(CATEGORY_SLUGS)
    for package in Package.objects.select_related("app"):
        check_slug(package.slug)
        assert package.description
        assert package.support_url
        assert package.privacy_policy_url
        assert package.app.logo_url


def test_every_listed_package_is_in_the_catalog(api):
    seed(60, state="listed")
    shown = Package.objects.filter(availability_mode="public")
    answer = api.get("/v1/providers/packages/catalog?limit=100").json()
    assert {item["id"] for item in answer["data"]} == {package.pk for package in shown}
    assert 0 < shown.count() <= 60
    package = shown.first()
    assert package is not None
    found = api.get(f"/v1/providers/packages/catalog?q={package.name}&limit=5").json()["data"]
    assert package.pk in [item["id"] for item in found]
    assert api.get(f"/v1/providers/packages/{package.slug}").json()["data"]["version"]


def test_what_waits_can_be_opened_in_the_queue(make_user: Callable[..., User]):
    seed(40, state="submitted")
    assert Version.objects.filter(state__in=OPEN).count() == 40
    reviewer = make_user(is_staff=True)
    reviewer.groups.add(Group.objects.get(name="reviewer"))
    desk = Client()
    desk.force_login(reviewer, backend="django.contrib.auth.backends.ModelBackend")
    waiting = Counter(Review.objects.filter(closed_at=None).values_list("tier", flat=True))
    assert sum(waiting.values()) == 40
    for tier in waiting:
        assert desk.get(f"/admin/packages/review/queue/{tier}/").status_code == 200
        review = Review.objects.queue(tier)[0]
        page = desk.get(f"/admin/packages/review/{review.pk}/change/").content.decode()
        assert review.version.package.name in page


def test_some_of_what_waits_is_claimed_and_some_overdue():
    seed(120, state="submitted", tier=["action_capable"])
    reviews = list(Review.objects.queue("action_capable"))
    assert len(reviews) == 120
    claimed = [review for review in reviews if review.is_claimed]
    assert 0 < len(claimed) < 60
    assert {review.version.state for review in claimed} == {VersionState.IN_REVIEW}
    assert 0 < sum(review.is_overdue for review in reviews) < 60
    assert 0 < sum(review.escalated_at is not None for review in reviews) < 60


def test_a_mix_has_every_situation():
    seed(250)
    states = Counter(Version.objects.values_list("state", flat=True))
    assert set(states) >= {"listed", "superseded", "submitted", "in_review", "changes_requested", "draft", "suspended"}
    assert set(Version.objects.values_list("risk_tier", flat=True)) == set(RiskTier.values)
    assert set(Review.objects.values_list("kind", flat=True)) == {"submission", "listing_change"}
    assert Package.objects.exclude(deprecated_at=None).exists()
    several = [package for package in Package.objects.prefetch_related("versions") if package.versions.count() > 2]
    assert several


def test_versions_hold_what_the_verbs_would_have_written():
    seed(80)
    for version in Version.objects.select_related("package__app", "package__account"):
        assert version.content_hash == hash_of(version.capabilities, version.risk_tier)
        for descriptor in version.capabilities:
            assert RISK_TIERS.index(least_tier(descriptor)) <= RISK_TIERS.index(version.risk_tier)
        if version.state in (VersionState.LISTED, VersionState.SUPERSEDED):
            assert is_covered(version, RuntimeApp.objects.get(pk=version.package.app_id))


def test_what_waits_passes_every_gate_but_that_of_a_degraded_app():
    seed(80, state="submitted")
    for version in Version.objects.filter(state__in=OPEN).select_related("package__app", "package__account"):
        runtime_app = RuntimeApp.objects.get(pk=version.package.app_id)
        failed = {gate.name for gate in evaluate_gates(version) if not gate.passed}
        assert failed == ({"app_healthy"} if runtime_app.health_status == "degraded" else set())
        assert reviewer_reasons(version)
        assert approvals_missing(version.reviews.get(closed_at=None))


def test_sweeps_find_nothing_to_do():
    seed(80)
    assert open_re_reviews() == 0
    assert list_submitted_versions() == 0
    assert release_expired_claims() == 0
    assert lapse_approvals() == 0
    assert delist_orphans() == 0
    assert wanting_runs() == []
    assert Event.objects.count() == 0
    assert not RuntimeApp.objects.exclude(next_health_check_at=None).exists()


def test_the_audit_log_is_whole():
    seed(30)
    out = io.StringIO()
    call_command("verify_audit_log", stdout=out)
    assert out.getvalue() == "The audit log is whole.\n"


def test_a_second_call_adds_more():
    seed(30)
    before = set(Package.objects.values_list("pk", flat=True))
    seed(30)
    assert Package.objects.count() == 60
    assert before < set(Package.objects.values_list("pk", flat=True))
    assert len({*Package.objects.values_list("account__company_name", "account_id")}) == 48


def test_the_same_seed_makes_the_same_content():
    found = []
    for number in (7, 7, 8):
        with transaction.atomic():
            seed(40, seed=number)
            found.append(contents())
            transaction.set_rollback(True)
    assert found[0] == found[1]
    assert found[0] != found[2]


@pytest.mark.parametrize("name", ["schemas_valid", "examples_valid", "components_fit", "texts_free_of_payload"])
def test_what_is_listed_passes_the_checks_that_call_nobody(name: str):
    seed(30, state="listed")
    results = list(backtest_check(name))
    assert len(results) == 30
    assert {result.state for result in results} == {"pass"}


def test_every_theme_has_every_mode_and_grows_as_it_says():
    for theme in THEMES:
        assert {item["mode"] for item in descriptors_of(Shape(theme, RiskTier.STRATEGIC_SURFACE, MODES))} == set(MODES)
        modes = MODES_OF_TIER[RiskTier.DATA_ONLY][0]
        base, widened, broken = (
            descriptors_of(Shape(theme, RiskTier.DATA_ONLY, modes, stage)) for stage in (0, WIDENED, BROKEN)
        )
        assert compare(base, widened).needs_consent
        assert not compare(base, widened).is_breaking
        assert compare(base, broken).is_breaking


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"packages": 0}, "--packages: give a number from 1 to 1000000."),
        ({"packages": 1_000_001}, "--packages: give a number from 1 to 1000000."),
        ({"packages": 1, "seed": -1}, "--seed: give a number from 0 to 2147483647."),
    ],
)
def test_a_number_out_of_range_is_refused_by_the_option_that_gave_it(options: dict[str, int], message: str):
    with pytest.raises(CommandError) as refused:
        call_command("seed_catalog", **options)
    assert str(refused.value) == message
    assert not Package.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "option"),
    [(("--packages", "many"), "--packages"), (("--packages", "1", "--state", "new"), "--state"), ((), "--packages")],
)
def test_an_option_that_cant_be_read_is_named(arguments: tuple[str, ...], option: str):
    with pytest.raises(CommandError, match=option):
        call_command("seed_catalog", *arguments)


def test_it_refuses_to_run_beside_real_content(settings):
    settings.ENVIRONMENT = "production"
    with pytest.raises(CommandError, match=r"\A--force: this is a production deployment"):
        call_command("seed_catalog", packages=5)
    assert not Package.objects.exists()
    seed(5, force=True)
    assert Package.objects.count() == 5
