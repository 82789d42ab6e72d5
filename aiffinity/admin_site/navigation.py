"""The sidebar of the staff console, its badges and its theme."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from packages.console.queue import open_counts
from packages.models import RiskTier

Item = dict[str, Any]

ENVIRONMENT_COLOURS = {"production": "danger", "staging": "warning", "sandbox": "info", "development": "success"}
TIER_ICONS = {
    RiskTier.DATA_ONLY: "database",
    RiskTier.ACTION_CAPABLE: "bolt",
    RiskTier.HIGH_TRUST: "shield_lock",
    RiskTier.STRATEGIC_SURFACE: "stars",
}


def environment_badge(request: HttpRequest) -> list[str]:
    """Return the name of this deployment and its colour, so that nobody takes production for a playground."""
    name = str(settings.ENVIRONMENT)
    return [name.capitalize(), ENVIRONMENT_COLOURS.get(name, "info")]


def theme(request: HttpRequest) -> str:
    """Return the address of the stylesheet with the console's colours."""
    return static("aiffinity/console/theme.css")


def favicon(request: HttpRequest) -> str:
    """Return the address of the console's icon."""
    return static("aiffinity/console/favicon.svg")


def sidebar(request: HttpRequest) -> list[Item]:
    """Return the groups of the sidebar; what the groups of staff may not see is left out."""
    return [
        {"title": "Review", "items": _review_items(request)},
        {
            "title": "Packages",
            "separator": True,
            "items": [
                _page("Packages", "deployed_code", "packages.package"),
                _page("Versions", "history", "packages.version"),
                _page("Validation runs", "fact_check", "packages.validationrun"),
                _page("Curation grants", "workspace_premium", "packages.curationgrant"),
                _page("Installs", "download", "capabilities.install"),
                _page("Connections", "link", "runtime.connection"),
                _page("Invocations", "swap_calls", "capabilities.invocation"),
            ],
        },
        {
            "title": "Runtime",
            "separator": True,
            "items": [
                _page("Runtime apps", "dns", "runtime.runtimeapp"),
                _page("Capability templates", "description", "runtime.capabilitytemplate"),
                _page("Health checks", "monitor_heart", "runtime.healthcheck"),
                _page("Webhook endpoints", "webhook", "runtime.webhookendpoint"),
            ],
        },
        {
            "title": "Accounts",
            "separator": True,
            "items": [
                _page("Accounts", "business", "providers.account"),
                _page("Apps", "apps", "providers.app"),
                _page("Users and staff", "group", "providers.user"),
                _page("Groups", "badge", "auth.group"),
            ],
        },
        {
            "title": "Operations",
            "separator": True,
            "items": [
                _page("Events", "bolt", "runtime.event"),
                _page("Deliveries", "send", "runtime.delivery"),
                _page("Delivery attempts", "manage_history", "runtime.deliveryattempt"),
                _page("Recoveries", "replay", "runtime.recovery"),
                _page("Mails", "mail", "lib.outgoingmail"),
                _page("Audit log", "receipt_long", "lib.auditentry"),
                _page("Named secrets", "key", "runtime.namedsecret"),
            ],
        },
    ]


def _review_items(request: HttpRequest) -> list[Item]:
    counts = open_counts()
    return [
        {
            "title": tier.label.capitalize(),
            "icon": TIER_ICONS[tier],
            "link": reverse("admin:packages_review_queue", args=[tier.value]),
            "badge": counts[tier].waiting or None,
            "badge_variant": "danger" if counts[tier].overdue else "info",
            "permission": _may_view("packages.review"),
        }
        for tier in RiskTier
    ] + [
        {
            **_page("All reviews", "inventory", "packages.review"),
            "active": lambda request: request.path == reverse("admin:packages_review_changelist"),
        },
        _page("Decisions", "gavel", "packages.reviewdecision"),
        _page("Policy reasons", "policy", "packages.policyreason"),
        _page("Canned texts", "quickreply", "packages.cannedtext"),
    ]


def _page(title: str, icon: str, model: str) -> Item:
    app_label, _, name = model.partition(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse(f"admin:{app_label}_{name}_changelist"),
        "permission": _may_view(model),
    }


def _may_view(model: str) -> Callable[[HttpRequest], bool]:
    app_label, _, name = model.partition(".")
    return lambda request: request.user.has_perm(f"{app_label}.view_{name}")
