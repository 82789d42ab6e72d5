"""The listing as the catalog would show it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from packages.models import Package, Version
from packages.surface import render_listing
from providers.models import Account, App
from runtime.descriptors import normalise_descriptor
from tests.lib.test_texts import PAYLOADS
from tests.packages.surface.markup import tags_of, text_of
from tests.runtime import documents

CAPABILITIES = [normalise_descriptor(body) for body in (documents.STATE, documents.ACTION)]


def listing(tier: str = "action_capable", **fields: Any) -> str:
    account = Account(company_name="Acme Inc.", email_verified_at=datetime(2026, 1, 1, tzinfo=UTC))
    given = {
        "name": "Acme Weather",
        "slug": "acme-weather",
        "description": "Weather for any place.\n\nAlso offline.",
        "category": "weather",
        "keywords": ["rain"],
        "images": ["https://acmeweather.com/one.png"],
        "support_url": "https://acmeweather.com/support",
        "install_count": 12345,
        **fields,
    }
    package = Package(account=account, app=App(logo_url="https://acmeweather.com/logo.png"), **given)
    capabilities = [{**item, "permissions": ["weather:read"]} for item in CAPABILITIES]
    return str(render_listing(package, Version(version="1.2.0", risk_tier=tier, capabilities=capabilities)))


def test_listing_shows_what_users_decide_by() -> None:
    assert text_of(listing()) == (
        "A Acme Weather Acme Inc. · verified Weather for any place. Also offline. Can act for you weather "
        "A Acme Weather Acme Inc. · verified acme-weather · version 1.2.0 · 12,345 installs Install "
        "Can act for you weather rain https://acmeweather.com/one.png Logo: https://acmeweather.com/logo.png "
        "Weather for any place. Also offline. What it does "
        "Current weather Current weather conditions for a location state · shows "
        "Create task Create a new task in the user's project action · acts "
        "What it may do with your account weather:read "
        "Support https://acmeweather.com/support Privacy policy \N{EN DASH}"
    )


@pytest.mark.parametrize(
    ("tier", "words"),
    [("data_only", "Reads only"), ("high_trust", "High trust"), ("strategic_surface", "Strategic surface")],
)
def test_listing_shows_the_tier(tier: str, words: str) -> None:
    assert text_of(listing(tier)).count(words) == 2


def test_empty_listing_says_so() -> None:
    text = text_of(listing(images=[], description="", keywords=[], category="", availability_mode="unlisted"))
    assert "No images" in text
    assert "No description" in text
    assert "Unlisted" in text


def test_hostile_texts_change_no_element() -> None:
    texts = ("name", "slug", "description", "category", "support_url", "privacy_policy_url")
    plain = tags_of(listing(**dict.fromkeys(texts, "plain"), keywords=["plain"], images=["plain"]))
    for payload, _ in PAYLOADS:
        html = listing(**dict.fromkeys(texts, payload), keywords=[payload], images=[payload])
        text_of(html)
        assert set(tags_of(html)) == set(plain)
