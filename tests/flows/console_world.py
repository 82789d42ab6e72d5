"""Packages before reviewers, as a working day has them: the queue of the pictures, and the case of the story."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from packages.models import AttestationKind, Package, Review, ReviewDecision, Version
from packages.reviewing.cases import open_review
from packages.tier_requirements import sign_attestations
from packages.versions import add_version
from providers.models import User
from runtime.models import HealthCheck
from tests.packages.conftest import Maker, pass_run
from tests.runtime import documents

FORECAST: dict[str, Any] = {
    "name": "rain_forecast",
    "mode": "state",
    "description": "Chance of rain for the next days at a place",
    "refresh_interval_seconds": 3600,
    "permissions": ["weather:read"],
    "schema": {
        "input": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
        "output": {
            "type": "object",
            "properties": {
                "location": {"type": "string"},
                "days": {
                    "type": "array",
                    "minItems": 7,
                    "maxItems": 14,
                    "items": {
                        "type": "object",
                        "properties": {
                            "date": {"type": "string", "format": "date"},
                            "rain_pct": {"type": "number", "minimum": 0, "maximum": 100},
                        },
                        "required": ["date", "rain_pct"],
                    },
                },
            },
            "required": ["location", "days"],
        },
    },
    "surface_guidance": {
        "intent": "inform",
        "placement": ["daily_brief"],
        "preferred_components": ["chart", "sparkline"],
    },
    "examples": [
        {
            "params": {"location": "Oslo"},
            "data": {
                "location": "Oslo",
                "days": [
                    {"date": f"2026-11-{day}", "rain_pct": rain}
                    for day, rain in zip(range(22, 29), (10, 35, 80, 65, 20, 5, 40), strict=True)
                ],
            },
        }
    ],
}
QUEUE = (
    ("Harbour Tides", "Nordic Coast Data", -9, False),
    ("Ledger Lens", "Brightside Finance", -2, True),
    ("Task Relay", "Relay Works", 3, True),
    ("Trail Notes", "Open Paths", 6, False),
    ("Grocery Rounds", "Corner Basket", 15, False),
    ("Night Sky", "Lumen Observatory", 22, True),
    ("Parcel Watch", "Postline", 28, False),
    ("Clinic Calendar", "Medora", 36, False),
    ("Bike Share", "Velo City", 44, True),
)
CHECKS = (
    ("schema", "bounded", "pass", "Every schema is bounded.", ""),
    ("schema", "described", "fail", "Describe the property rain_pct, so that people know its unit.", "/capabilities/1"),
    ("contract", "answers_fit", "pass", "12 of 12 answers match their schemas.", ""),
    ("contract", "unknown_capability", "pass", "An unknown capability is refused with 404.", ""),
    ("reliability", "duplicate_action", "pass", "A repeated action with the same key acted once.", ""),
    ("performance", "p95", "fail", "p95 is 2,310 ms; answer within 2,000 ms, or raise the ttl.", "/capabilities/0"),
    ("security", "bad_signature", "pass", "A call with a bad signature is refused.", ""),
    ("security", "response_signature", "not_applicable", "The app signs no answers.", ""),
    ("guidance", "components_fit", "pass", "Every preferred component fits its schema.", ""),
)
STATEMENTS = {
    "data_handling": "Places and times of requests are used for the answer alone and joined with nothing.",
    "encryption": "AES-256 at rest, TLS 1.3 in transit; keys are turned over every 90 days.",
    "breach_notice": "The platform is told within 24 hours of a breach, users within 72.",
    "retention": "Requests are deleted after 30 days, tasks with the user's account.",
    "sub_processors": "Nordic Compute AS (hosting, Oslo). Nobody else.",
}
SCORES = {"schema": 88, "contract": 100, "reliability": 100, "performance": 71, "security": 100, "guidance": 95}


def fill_queue(maker: Callable[..., Maker], holder: User) -> None:
    """Put nine action_capable cases into the queue, some overdue, some claimed, some that change a listed version."""
    now = timezone.now()
    for name, company, hours_left, has_history in QUEUE:
        acme = maker()
        acme.set_account(company_name=company)
        slug = name.lower().replace(" ", "-")
        state = "listed" if has_history else "submitted"
        version = acme.version(state, name=name, slug=slug, risk_tier="action_capable")
        Package.objects.filter(pk=version.package_id).update(install_count=1_000 + hours_left * 37, calls_last_hour=90)
        if has_history:
            added = add_version(version.package, acme.attempt, {"capabilities": [*acme.capabilities, FORECAST]})
            version = acme.put_into(added, "submitted")
        review = Review.objects.get(version=version)
        due_at = now + timedelta(hours=hours_left)
        since = due_at - timedelta(hours=48)
        Review.objects.filter(pk=review.pk).update(due_at=due_at, first_submitted_at=since, queued_at=since)
        if name == "Task Relay":
            claimed = {"claimed_by": holder, "claim_expires_at": now + timedelta(minutes=21)}
            Review.objects.filter(pk=review.pk).update(**claimed)
        if name == "Ledger Lens":
            Review.objects.filter(pk=review.pk).update(escalated_at=now)
    _decide_some(maker(), holder)


def _decide_some(acme: Maker, holder: User) -> None:
    """Close a few cases of the last weeks, from which the forecast is made."""
    now = timezone.now()
    for number, hours in enumerate((3, 6, 9, 14, 20, 33)):
        version = acme.version("listed", name=f"Field Guide {number + 1}", risk_tier="action_capable")
        review = open_review(version)
        decided_at = now - timedelta(days=number + 1)
        Review.objects.filter(pk=review.pk).update(
            queued_at=decided_at - timedelta(hours=hours),
            decided_at=decided_at,
            closed_at=decided_at,
            outcome="approved",
        )
        ReviewDecision.objects.create(
            review=review,
            reviewer=holder,
            decision="approve",
            comment="Looks good.",
            content_hash=version.content_hash,
            config_hash=acme.config_hash,
        )


def validated_successor(acme: Maker) -> Version:
    """Return a validated high_trust version that breaks and widens what is listed, with all that its gates want."""
    listed = acme.version(
        "listed",
        name="Storm Desk",
        slug="storm-desk",
        risk_tier="high_trust",
        description="Weather for people who have to decide: conditions, rain by the day, and tasks for the crew.",
        images=["https://acmeweather.com/images/storm-desk.png"],
    )
    Package.objects.filter(pk=listed.package_id).update(install_count=12_840, calls_last_hour=3_120)
    narrowed = {**documents.STATE, "permissions": ["weather:read", "location:precise"]}
    properties = dict(documents.STATE["schema"]["properties"])
    del properties["humidity_pct"]
    narrowed["schema"] = {**documents.STATE["schema"], "properties": properties}
    fields = {
        "capabilities": [narrowed, FORECAST, documents.ACTION],
        "publish_on_approval": True,
        "changelog": "Rain forecast by the day and tasks for the crew. Humidity is gone: its sensor is retired.",
    }
    version = acme.put_into(add_version(listed.package, acme.attempt, fields), "validated")
    given = [
        {"kind": kind, "statement": STATEMENTS[kind], "signed_by": "Jane Doe, CISO"} for kind in AttestationKind.values
    ]
    sign_attestations(version, actor=acme.attempt.actor, given=given)
    _detail_run(version)
    acme.set_runtime(health_status="healthy", health_checked_at=timezone.now())
    for minutes in range(5):
        HealthCheck.objects.create(
            runtime_app=acme.runtime_app,
            is_healthy=minutes != 3,
            status_code=200 if minutes != 3 else 503,
            latency_ms=84,
        )
    return version


def _detail_run(version: Version) -> None:
    checks = [
        {
            "check": f"{dimension}.{name}",
            "title": name.replace("_", " ").capitalize(),
            "dimension": dimension,
            "state": state,
            "weight": 1.0,
            "blocking": False,
            "capability": None,
            "message": message,
            "pointer": pointer,
        }
        for dimension, name, state, message, pointer in CHECKS
    ]
    dimensions = {name: {"score": score, "weight": 15} for name, score in SCORES.items()}
    pass_run(version, checks=checks, dimensions=dimensions)
