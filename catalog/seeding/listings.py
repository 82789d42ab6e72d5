"""What a made-up package says of itself: name, slug, description, keywords, addresses, pictures."""

from datetime import datetime
from random import Random

from django.utils.text import slugify

from catalog.seeding.companies import Company
from catalog.seeding.histories import History
from packages.models import AvailabilityMode, Package

_EDITIONS = ("", " Pro", " for Families", " for Teams", " Mini", " Plus", " Classic", " Daily")
_OPENINGS = (
    "{brand} tells you {pitch}.",
    "See {pitch}, without opening another app.",
    "{product} by {brand}: {pitch}.",
)
_MIDDLES = (
    "It keeps to what matters and stays quiet when nothing changes.",
    "Everything comes from your own account and stays yours.",
    "Figures are refreshed every quarter of an hour.",
    "Ask for it in a conversation, or keep it on your home screen.",
)
_ENDINGS = (
    "Free for personal use.",
    "Works with every plan of {brand}.",
    "Thousands of people start their day with it.",
    "Made in a small team that answers its mail.",
)
MOST_INSTALLS = 2_000_000
UNLISTED_SHARE = 0.03


def make_package(rng: Random, company: Company, number: int, history: History) -> Package:
    """Return the unsaved listing of a company's package; `number` counts the company's packages from 0."""
    name = product_name(company, number)
    description = " ".join(rng.choice(sentences) for sentences in (_OPENINGS, _MIDDLES, _ENDINGS))
    first_listed = next((step.listed_at for step in history.steps if step.listed_at), None)
    product = company.theme.products[number % len(company.theme.products)]
    return Package(
        account=company.account,
        app=company.app,
        name=name,
        slug=slugify(name)[:60],
        description=description.format(brand=company.brand, product=product, pitch=company.theme.pitch),
        category=company.theme.category,
        keywords=[product.lower(), *rng.sample(company.theme.keywords, 3)],
        images=[f"https://{company.domain}/screens/{slugify(product)}-{place}.png" for place in (1, 2)],
        support_url=f"https://{company.domain}/support",
        privacy_policy_url=f"https://{company.domain}/privacy",
        availability_mode=AvailabilityMode.UNLISTED if rng.random() < UNLISTED_SHARE else AvailabilityMode.PUBLIC,
        install_count=min(int(12 * rng.paretovariate(0.55)), MOST_INSTALLS) if first_listed else 0,
        listed_at=first_listed,
        deprecated_at=_deprecated_at(history),
        pending_listing={"name": f"{name} Next"[:80]} if history.situation == "renamed" else {},
        created_at=history.steps[0].submitted_at,
    )


def product_name(company: Company, number: int) -> str:
    """Return the name of a company's package; after all products come further editions of them."""
    products = company.theme.products
    lap, place = divmod(number, len(products))
    edition = _EDITIONS[lap] if lap < len(_EDITIONS) else f" {lap + 1}"
    return f"{company.brand} {products[place]}{edition}"


def _deprecated_at(history: History) -> datetime | None:
    return history.steps[-1].listed_at if history.situation == "deprecated" else None
