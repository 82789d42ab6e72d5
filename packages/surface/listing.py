"""The listing of a package as the catalog would show it, for reviewers."""

from typing import Any, Final

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from packages.models import Package, RiskTier, Version
from packages.surface.formats import sentence_of, shortened

CARD_TEXT: Final = 120
MAX_TEXT: Final = 2000
MAX_ADDRESS: Final = 90
MAX_IMAGES: Final = 8
MAX_WORDS: Final = 20
TIER_WORDS: Final = {
    RiskTier.DATA_ONLY: "Reads only",
    RiskTier.ACTION_CAPABLE: "Can act for you",
    RiskTier.HIGH_TRUST: "High trust",
    RiskTier.STRATEGIC_SURFACE: "Strategic surface",
}
MODE_WORDS: Final = {
    "state": "shows",
    "action": "acts",
    "history": "looks back",
    "realtime": "streams",
    "webhook": "notifies",
}


def render_listing(package: Package, version: Version) -> SafeString:
    """Draw a package's card in lists and its page, with the permissions and capabilities of a version.

    Nothing is loaded from an address of the provider: images are boxes with their addresses as text, and no
    text is a link. Reads the package's account and app.
    """
    permissions = {name for item in version.capabilities for name in item.get("permissions") or ()}
    context: dict[str, Any] = {
        "name": shortened(package.name),
        "initial": next((letter for letter in package.name if letter.isalnum()), "?").upper()[:1],
        "slug": shortened(package.slug),
        "publisher": shortened(package.account.company_name),
        "is_verified": package.account.email_verified_at is not None,
        "card_text": shortened(package.description, CARD_TEXT),
        "paragraphs": _paragraphs(package.description),
        "category": shortened(package.category),
        "keywords": [shortened(word) for word in package.keywords[:MAX_WORDS]],
        "logo": shortened(package.app.logo_url or "", MAX_ADDRESS),
        "images": [shortened(address, MAX_ADDRESS) for address in package.images[:MAX_IMAGES]],
        "tier": version.risk_tier,
        "tier_words": TIER_WORDS.get(RiskTier(version.risk_tier), ""),
        "version": version.version,
        "install_count": f"{package.install_count:,}",
        "is_unlisted": package.availability_mode == "unlisted",
        "permissions": [shortened(name) for name in sorted(permissions)],
        "capabilities": [_capability(item) for item in version.capabilities],
        "links": _links(package),
    }
    return render_to_string("packages/surface/listing.html", context)


def _paragraphs(text: str) -> list[str]:
    return [shortened(line, MAX_TEXT) for line in text.splitlines() if line.strip()]


def _capability(descriptor: dict[str, Any]) -> dict[str, str]:
    return {
        "name": sentence_of(descriptor["name"]),
        "mode": descriptor["mode"],
        "mode_words": MODE_WORDS.get(descriptor["mode"], ""),
        "description": shortened(descriptor["description"], 280),
    }


def _links(package: Package) -> list[dict[str, str]]:
    given = {"Support": package.support_url, "Privacy policy": package.privacy_policy_url}
    return [{"label": label, "address": shortened(address, MAX_ADDRESS)} for label, address in given.items()]
