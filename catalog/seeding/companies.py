"""Made-up provider companies: an owner, an account, an app with its runtime and its capability templates each."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, product
from random import Random
from typing import Any

from django.contrib.auth.hashers import make_password
from django.utils.text import slugify

from aiffinity.lib.audit import GENESIS, entry_hash
from aiffinity.lib.ids import new_id
from aiffinity.lib.models import AuditEntry
from catalog.seeding.fields import Theme
from catalog.seeding.shapes import Shape, descriptor_of, descriptors_of
from catalog.seeding.themes import THEMES
from packages.descriptors import CAPABILITY_ID, hash_of
from providers.models import Account, App, User
from runtime.auth_profiles import config_hash
from runtime.descriptors import MODES
from runtime.models import CapabilityTemplate, HealthStatus, RuntimeApp
from runtime.sealing import SIGNING_SECRET, seal
from runtime.signing_secrets import new_signing_secret

ACTOR = "command:seed_catalog"
# Nobody can own a name below `.example` (RFC 2606), so that no stranger is ever called.
DOMAIN = "example"
LEAST_COMPANIES, MOST_COMPANIES = 24, 2_000
PACKAGES_A_COMPANY = 8

_FIRST = (
    "Fjord", "Harbour", "Aurora", "Juniper", "Lantern", "Copper", "Meadow", "Nordic", "Willow", "Amber", "Beacon",
    "Cedar", "Drift", "Ember", "Falcon", "Granite", "Hazel", "Indigo", "Kestrel", "Linden", "Marlin", "Nimbus",
    "Orchard", "Pebble", "Quarry", "Raven", "Saffron", "Thistle", "Umber", "Velvet", "Wander", "Yarrow", "Alder",
    "Birch", "Clover", "Delta", "Elder", "Fern", "Garnet", "Heather",
)  # fmt: skip
_SECOND = (
    "line", "works", "light", "path", "field", "gate", "mark", "point", "stone", "wave", "bridge", "craft", "dale",
    "deck", "flow", "forge", "grove", "hill", "house", "leaf", "mill", "nest", "port", "post", "ridge", "scope",
    "shore", "side", "spring", "way", "wood", "yard",
)  # fmt: skip
_FORMS = ("", " Labs", " Studio", " Software", " GmbH", " Ltd", " AS", " Collective")
_HEALTH = ((HealthStatus.HEALTHY, 92), (HealthStatus.UNKNOWN, 5), (HealthStatus.DEGRADED, 3))


@dataclass(frozen=True)
class Content:
    """What versions of one shape freeze in one app."""

    capabilities: list[dict[str, Any]]
    content_hash: str


@dataclass
class Company:
    """One company with all that it registered."""

    theme: Theme
    brand: str
    domain: str
    owner: User
    account: Account
    app: App
    runtime_app: RuntimeApp
    templates: list[CapabilityTemplate]
    _contents: dict[Shape, Content] = field(default_factory=dict)

    def content_of(self, shape: Shape) -> Content:
        """Return what a version of this shape freezes; versions of the same shape share it."""
        if shape not in self._contents:
            ids = {template.name: template.pk for template in self.templates}
            frozen = [{**item, CAPABILITY_ID: ids[item["name"]]} for item in descriptors_of(shape)]
            self._contents[shape] = Content(frozen, hash_of(frozen, shape.tier))
        return self._contents[shape]


def company_count(packages: int) -> int:
    """Return how many companies publish so many packages."""
    return min(packages, max(LEAST_COMPANIES, packages // PACKAGES_A_COMPANY), MOST_COMPANIES)


def make_companies(rng: Random, how_many: int, now: datetime) -> list[Company]:
    """Make companies over all categories, unsaved; their names are new to the database."""
    brands = _unused_brands(rng)
    return [_company(rng, THEMES[number % len(THEMES)], next(brands), now) for number in range(how_many)]


def save_companies(companies: list[Company]) -> None:
    """Write companies and what they registered."""
    User.objects.bulk_create([company.owner for company in companies])
    Account.objects.bulk_create([company.account for company in companies])
    App.objects.bulk_create([company.app for company in companies])
    RuntimeApp.objects.bulk_create([company.runtime_app for company in companies])
    CapabilityTemplate.objects.bulk_create([each for company in companies for each in company.templates])
    AuditEntry.objects.bulk_create(
        [first_entry(company.app.pk, "app.seeded", company.account.created_at) for company in companies]
    )


def first_entry(
    subject: str, action: str, at: datetime, *, to_state: str = "", content_hash: str = "", **data: Any
) -> AuditEntry:
    """Return the unsaved first entry of the audit chain of something that this command makes."""
    entry = AuditEntry(
        subject=subject,
        sequence=1,
        action=action,
        actor=ACTOR,
        to_state=to_state,
        content_hash=content_hash,
        data=data,
        created_at=at,
        previous_hash=GENESIS,
    )
    entry.hash = entry_hash(entry)
    return entry


def _unused_brands(rng: Random) -> Iterator[str]:
    used = set(User.objects.filter(email__endswith=f".{DOMAIN}").values_list("email", flat=True))
    brands = [f"{first}{second}" for first, second in product(_FIRST, _SECOND)]
    rng.shuffle(brands)
    for lap in count(1):
        for brand in brands:
            name = brand if lap == 1 else f"{brand} {lap}"
            if _email_at(_domain_of(name)) not in used:
                yield name


def _domain_of(brand: str) -> str:
    return f"{slugify(brand)}.{DOMAIN}"


def _email_at(domain: str) -> str:
    return f"hello@{domain}"


def _company(rng: Random, theme: Theme, brand: str, now: datetime) -> Company:
    domain = _domain_of(brand)
    owner = User(email=_email_at(domain), is_email_verified=True, password=make_password(None))
    owner.identity_uid = owner.pk
    account = Account(
        owner=owner,
        company_name=f"{brand}{rng.choice(_FORMS)}",
        email=owner.email or "",
        email_verified_at=now - timedelta(days=rng.randint(720, 1500)),
        created_at=now,
    )
    app = App(
        account=account,
        client_id=f"ci_{slugify(brand)}_{new_id('c')[-12:].lower()}",
        name=brand,
        description=f"{brand} shows {theme.pitch}."[:280],
        homepage_url=f"https://{domain}",
        logo_url=f"https://{domain}/logo-512.png",
        redirect_uris=[f"https://{domain}/callback"],
    )
    runtime_app = _runtime_app(rng, app, theme, domain, now)
    templates = [_template(runtime_app, theme, mode) for mode in MODES]
    return Company(theme, brand, domain, owner, account, app, runtime_app, templates)


def _runtime_app(rng: Random, app: App, theme: Theme, domain: str, now: datetime) -> RuntimeApp:
    [health] = rng.choices([status for status, _ in _HEALTH], [weight for _, weight in _HEALTH])
    runtime_app = RuntimeApp(
        app=app,
        runtime_url=f"https://api.{domain}/aiffinity",
        health_check_url=f"https://api.{domain}/health",
        auth_profile=rng.choice((None, _api_key(domain), _oauth2(domain, theme))),
        health_status=health,
        health_checked_at=None if health == HealthStatus.UNKNOWN else now,
        consecutive_failures=3 if health == HealthStatus.DEGRADED else 0,
        # Never its turn: nobody answers there, and within minutes every one of these apps would be degraded.
        next_health_check_at=None,
    )
    runtime_app.sealed_signing_secret = seal(runtime_app, SIGNING_SECRET, new_signing_secret())
    runtime_app.config_hash = config_hash(runtime_app)
    return runtime_app


def _template(runtime_app: RuntimeApp, theme: Theme, mode: str) -> CapabilityTemplate:
    descriptor = descriptor_of(theme, mode)
    return CapabilityTemplate(runtime_app=runtime_app, name=descriptor["name"], mode=mode, descriptor=descriptor)


def _api_key(domain: str) -> dict[str, Any]:
    settings = {
        "header_name": "X-Service-Key",
        "instructions": f"You find your key at {domain} under Settings.",
        "validation_url": f"https://api.{domain}/v1/me",
    }
    return {"strategy": "api_key", "api_key": settings}


def _oauth2(domain: str, theme: Theme) -> dict[str, Any]:
    settings = {
        "authorization_url": f"https://{domain}/oauth/authorize",
        "token_url": f"https://{domain}/oauth/token",
        "scopes": [f"{theme.noun}:read"],
        "pkce_required": True,
        "token_endpoint_auth_method": "client_secret_post",
    }
    return {"strategy": "oauth2", "oauth2": settings}
