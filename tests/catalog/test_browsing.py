"""The catalog and the marketplace over HTTP: what is listed, found and shown."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from capabilities.installs import install_package
from packages.categories import CATEGORIES
from providers.models import Account, App
from tests.catalog.conftest import Consumer
from tests.published import WEATHER, Published

CATALOG = "/v1/providers/packages/catalog"
MARKETPLACE = "/v1/space/marketplace"
PACKAGES = "/v1/providers/packages"


def slugs(response: Any) -> list[str]:
    """Return the slugs of a list."""
    assert response.status_code == 200, response.content
    return [item["slug"] for item in response.json()["data"]]


def test_a_listing_shows_what_the_spec_names(api: Any, publish: Callable[..., Published]) -> None:
    published = publish(slug="acme-weather")
    body = api.get(CATALOG).json()
    page = {"total": 1, "limit": 20, "offset": 0, "hasMore": False, "nextCursor": None}
    assert body["meta"]["pagination"] == page
    [listing] = body["data"]
    times = [listing.pop("listed_at"), listing.pop("updated_at")]
    assert all(each.endswith("Z") for each in times)
    assert listing == {
        "id": published.package.pk,
        "slug": "acme-weather",
        "name": "Acme Weather",
        "description": "Forecasts for every place",
        "category": "weather",
        "keywords": ["rain", "sunshine"],
        "images": [],
        "publisher": {"name": "Acme Weather", "verified": True},
        "risk_tier": "action_capable",
        "certification": None,
        "permissions": ["tasks:write", "weather:read"],
        "capabilities": [
            {
                "name": "current_weather",
                "mode": "state",
                "description": "Current weather conditions for a location",
            },
            {"name": "create_task", "mode": "action", "description": "Create a new task in the user's project"},
            {
                "name": "recent_transactions",
                "mode": "history",
                "description": "Paginated list of recent financial transactions",
            },
        ],
        "install_count": 0,
        "rating": {"average": None, "count": 0},
        "version": "1.0.0",
        "version_id": published.version.pk,
        "availability_mode": "public",
        "successor": None,
        "badges": [],
    }


def test_only_what_is_listed_is_shown(api: Any, publish: Callable[..., Published]) -> None:
    shown = publish()
    publish().set_version(state="suspended")
    publish().set_version(state="draft")
    publish(suspended_at=timezone.now())
    publish(deprecated_at=timezone.now())
    publish(availability_mode="unlisted")
    banned = publish()
    Account.objects.filter(pk=banned.account.pk).update(suspended_at=timezone.now())
    assert slugs(api.get(CATALOG)) == [shown.package.slug]


def test_an_orphan_stays_thirty_days_with_its_badge(api: Any, publish: Callable[..., Published]) -> None:
    fresh, old = publish(), publish()
    for published, days in ((fresh, 29), (old, 31)):
        App.objects.filter(pk=published.app.pk).update(deleted_at=timezone.now() - timedelta(days=days))
    [listing] = api.get(CATALOG).json()["data"]
    assert (listing["id"], listing["badges"]) == (fresh.package.pk, ["orphaned"])
    reasons = api.get(f"{PACKAGES}/{fresh.package.pk}").json()["data"]["installability"]
    assert reasons["installable"] is False
    assert reasons["reasons"][0]["code"] == "orphaned"


def test_an_unlisted_package_is_found_by_who_knows_it(api: Any, publish: Callable[..., Published]) -> None:
    published = publish(slug="hidden-gem", availability_mode="unlisted")
    for name in ("hidden-gem", published.package.pk):
        assert api.get(f"{PACKAGES}/{name}").json()["data"]["id"] == published.package.pk


@pytest.mark.parametrize("name", ["nothing-here", "pkg_01J8XKWM3N4QR5STVYZ2BCDEFG", "a%00b", "A_B", "x" * 200])
def test_an_unknown_package_is_not_found(api: Any, consumer: Consumer, db: None, name: str) -> None:
    for path in (f"{PACKAGES}/{name}", f"{PACKAGES}/{name}/installability", f"{MARKETPLACE}/{name}"):
        assert api.get(path, token=consumer.token).status_code == 404
    assert api.post(f"{PACKAGES}/{name}/install", {}, token=consumer.token).status_code == 404


def test_a_package_that_was_never_listed_is_not_found(api: Any, publish: Callable[..., Published]) -> None:
    published = publish()
    published.set_package(listed_at=None)
    published.set_version(state="draft")
    assert api.get(f"{PACKAGES}/{published.package.slug}").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("category=weather", ["sunny-days", "storm-watch"]),
        ("category=finance", ["penny-wise"]),
        ("category=unheard-of", []),
        ("risk_tier=data_only", ["penny-wise"]),
        ("sort=popular", ["sunny-days", "storm-watch", "penny-wise"]),
        ("sort=recent", ["penny-wise", "storm-watch", "sunny-days"]),
        ("sort=rating", ["sunny-days", "storm-watch", "penny-wise"]),
        ("limit=1&offset=1", ["storm-watch"]),
        ("q=storm", ["storm-watch"]),
        ("q=STO", ["storm-watch"]),
        ("q=hurricane", ["storm-watch"]),
        ("q=forecasts+rain", ["sunny-days"]),
        ("q=budget", ["penny-wise"]),
        ("q=fjord", ["penny-wise"]),
        ("q=strom+wacth", ["storm-watch"]),
        ("q=huricane", ["storm-watch"]),
        ("q=zzzzqqq", []),
        ("q=%27%26%7C%21%28%29%3A%2A", []),
        ("q=___", []),
        ("q=storm%27+%7C+x%3A%2A", []),
        ("q=", ["sunny-days", "storm-watch", "penny-wise"]),
        ("q=weather&category=finance", []),
    ],
)
def test_filters_sorts_and_words_find_packages(
    api: Any, publish: Callable[..., Published], make_account: Callable[..., Account], query: str, found: list[str]
) -> None:
    now = timezone.now()
    finance = make_account("Fjord Bank")
    rows: tuple[dict[str, Any], ...] = (
        {"slug": "sunny-days", "name": "Sunny Days", "install_count": 30, "keywords": ["rain"]},
        {
            "slug": "storm-watch",
            "name": "Storm Watch",
            "install_count": 20,
            "keywords": ["hurricane"],
            "description": "Weather warnings",
        },
        {
            "slug": "penny-wise",
            "name": "Penny Wise",
            "install_count": 10,
            "category": "finance",
            "keywords": ["budget"],
            "description": "Keeps your money together",
            "account": finance,
            "risk_tier": "data_only",
        },
    )
    for age, row in enumerate(rows):
        published = publish(WEATHER, **row)
        published.set_package(listed_at=now - timedelta(days=3 - age))
    assert slugs(api.get(f"{CATALOG}?{query}")) == found


def test_the_name_counts_more_than_the_description(api: Any, publish: Callable[..., Published]) -> None:
    publish(
        slug="other-thing", name="Other thing", description="Better than Sunshine Pro", install_count=99, keywords=[]
    )
    publish(slug="sunshine-pro", name="Sunshine Pro", description="Brightness", keywords=[])
    assert slugs(api.get(f"{CATALOG}?q=sunshine")) == ["sunshine-pro", "other-thing"]


def test_search_follows_changes_of_names(api: Any, publish: Callable[..., Published]) -> None:
    published = publish(name="Alpha", keywords=[], description="Nothing else")
    published.package.name = "Omega"
    published.package.save()
    assert slugs(api.get(f"{CATALOG}?q=alpha")) == []
    assert slugs(api.get(f"{CATALOG}?q=omega")) == [published.package.slug]
    Account.objects.filter(pk=published.account.pk).update(company_name="Zephyr Works")
    assert slugs(api.get(f"{CATALOG}?q=zephyr")) == [published.package.slug]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("offset=-1", "offset"),
        ("cursor=x", "cursor"),
        ("cursor=a%00b", "cursor"),
        ("cursor=" + "a" * 500, "cursor"),
        ("sort=best", "sort"),
        ("risk_tier=none", "risk_tier"),
        ("q=%00", "q"),
        (f"q={'x' * 201}", "q"),
    ],
)
def test_bad_queries_are_refused(api: Any, db: None, query: str, field: str) -> None:
    response = api.get(f"{CATALOG}?{query}")
    assert response.status_code == 400
    assert response.json()["error"]["details"][0]["field"] == field


def test_a_page_takes_few_queries_whatever_its_size(
    api: Any, publish: Callable[..., Published], consumer: Consumer, django_assert_max_num_queries: Any
) -> None:
    account = publish().account
    for number in range(6):
        published = publish(WEATHER, account=account, name=f"Weather {number}")
        install_package(consumer.user, published.package, actor="test")
    api.get(MARKETPLACE, token=consumer.token)
    with django_assert_max_num_queries(2):
        assert len(api.get(CATALOG).json()["data"]) == 7
    with django_assert_max_num_queries(2):
        assert len(api.get(f"{CATALOG}?q=weather").json()["data"]) == 7
    with django_assert_max_num_queries(4):
        assert len(api.get(MARKETPLACE, token=consumer.token).json()["data"]) == 7
    with django_assert_max_num_queries(4):
        assert len(api.get("/v1/space/installs", token=consumer.token).json()["data"]) == 6


def test_the_marketplace_adds_the_callers_install(
    api: Any, publish: Callable[..., Published], consumer: Consumer
) -> None:
    mine, other = publish(install_count=5), publish()
    install, _ = install_package(consumer.user, mine.package, actor="test")
    listings = {item["id"]: item for item in api.get(MARKETPLACE, token=consumer.token).json()["data"]}
    assert listings[mine.package.pk]["install"]["id"] == install.pk
    assert listings[mine.package.pk]["install"]["version_id"] == mine.version.pk
    assert listings[other.package.pk]["install"] is None
    detail = api.get(f"{MARKETPLACE}/{mine.package.slug}", token=consumer.token).json()["data"]
    assert detail["install"]["id"] == install.pk


def test_the_marketplace_needs_a_users_token(
    api: Any, publish: Callable[..., Published], access_token: Callable[..., str]
) -> None:
    published = publish()
    for path in (MARKETPLACE, f"{MARKETPLACE}/{published.package.pk}", "/v1/space/installs"):
        assert api.get(path).status_code == 401
        assert api.get(path, token=access_token(published.app)).status_code == 403


def test_a_degraded_app_wears_its_badge(api: Any, publish: Callable[..., Published]) -> None:
    published = publish()
    published.set_runtime(health_status="degraded")
    detail = api.get(f"{PACKAGES}/{published.package.slug}").json()["data"]
    assert detail["badges"] == ["degraded"]
    assert detail["installability"]["installable"] is True
    codes = [reason["code"] for reason in detail["installability"]["reasons"]]
    assert codes == ["app_degraded", "consent_required"]


def test_categories_are_a_fixed_list_with_counts(api: Any, publish: Callable[..., Published]) -> None:
    publish()
    publish(category="finance")
    publish(category="finance", availability_mode="unlisted")
    listed = api.get("/v1/space/categories").json()
    assert [item["slug"] for item in listed["data"]] == [each.slug for each in CATEGORIES]
    counts = {item["slug"]: item["package_count"] for item in listed["data"] if item["package_count"]}
    assert counts == {"weather": 1, "finance": 1}
    assert listed["data"][-1] == {"slug": "weather", "name": "Weather", "package_count": 1}


def walk(api: Any, query: str, *, between: Callable[[], object] = lambda: None) -> list[str]:
    """Return the slugs of every page, two on each, found by cursor."""
    found: list[str] = []
    cursor = ""
    for _ in range(20):
        response = api.get(f"{CATALOG}?limit=2{query}{cursor}")
        found += slugs(response)
        place = response.json()["meta"]["pagination"]
        assert place["hasMore"] is (place["nextCursor"] is not None)
        if place["nextCursor"] is None:
            return found
        cursor = f"&cursor={place['nextCursor']}"
        between()
    raise AssertionError("The pages don't end.")


@pytest.mark.parametrize(
    "query", ["", "&sort=recent", "&sort=rating", "&q=weather", "&q=weather&sort=recent", "&q=waether"]
)
def test_the_cursor_walks_every_order_without_a_gap(api: Any, publish: Callable[..., Published], query: str) -> None:
    now = timezone.now()
    for number in range(7):
        name = "Weather " * (number % 3 + 1)
        listed_at = now - timedelta(days=number % 4)
        published = publish(slug=f"weather-{number}", name=name.strip(), install_count=number // 2)
        published.set_package(listed_at=listed_at)
    whole = slugs(api.get(f"{CATALOG}?limit=100{query}"))
    assert len(whole) == 7
    assert walk(api, query) == whole


def test_what_is_listed_meanwhile_moves_nothing_to_another_page(api: Any, publish: Callable[..., Published]) -> None:
    now = timezone.now()
    for number in range(4):
        publish(slug=f"weather-{number}").set_package(listed_at=now - timedelta(days=number))
    found = walk(api, "&sort=recent", between=publish)
    assert found == ["weather-0", "weather-1", "weather-2", "weather-3"]


def test_a_cursor_is_good_for_its_own_order_alone(api: Any, publish: Callable[..., Published]) -> None:
    for _ in range(3):
        publish()
    cursor = api.get(f"{CATALOG}?limit=2").json()["meta"]["pagination"]["nextCursor"]
    refused = api.get(f"{CATALOG}?sort=recent&cursor={cursor}")
    assert refused.status_code == 400
    assert refused.json()["error"]["details"] == [
        {"field": "cursor", "code": "cursor", "message": "Send the nextCursor of a page of this list as it came."}
    ]
