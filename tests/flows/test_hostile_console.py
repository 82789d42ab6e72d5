"""Texts of providers that got past the API, in the console: a real browser runs none and loads nothing for them."""

from typing import Any

import pytest
from django.utils import timezone

from packages.models import Attestation, Package, Review, ReviewMessage, ValidationRun, Version
from packages.reviewing.cases import open_review
from providers.models import Account, App
from runtime.models import HealthCheck, RuntimeApp
from tests.flows.browser import Window
from tests.lib.test_texts import PAYLOADS
from tests.packages.conftest import Maker

pytestmark = pytest.mark.django_db(transaction=True)

# Each would tell on itself: by a dialog, a request to another host, a global variable, or a refusal of the policy.
EXTRA = [
    "'\"><script>window.ran=1;alert(1)</script>",
    '"><img src=https://evil.example/x.png onerror=window.ran=1>',
    '<div x-data x-init="window.ran=1">',
    '" x-init="window.ran=1" x-data="{}',
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "</textarea></pre></script><svg onload=window.ran=1>",
    '<template x-if="window.ran=1"></template>',
    "<a hx-get=https://evil.example/ hx-trigger=load>",
]
TEXTS = [*(text.replace("\x00", "") for text, _ in PAYLOADS), *EXTRA]
SHORT = 76


def test_sixty_hostile_texts_are_inert_in_queue_review_and_forms(open_window, make_staff, maker):
    assert len(TEXTS) >= 60
    acme = maker()
    reviews = [hostile_case(acme, text, TEXTS if number == 0 else [text]) for number, text in enumerate(TEXTS)]
    window = open_window()
    window.log_in(make_staff("rita@aiffinity.me", "reviewer", is_superuser=True))
    for number in range(1, 4):
        look(window, f"/admin/packages/review/queue/data_only/?page={number}")
    look(window, f"/admin/packages/review/queue/data_only/?q={EXTRA[0]}")
    for review in [reviews[0], *reviews[-len(EXTRA) :: 2]]:
        look(window, f"/admin/packages/review/{review.pk}/change/")
    worst = reviews[-len(EXTRA)]
    for model, row in (("package", worst.version.package), ("version", worst.version)):
        look(window, f"/admin/packages/{model}/{row.pk}/change/")
        look(window, f"/admin/packages/{model}/")
    look(window, f"/admin/packages/package/{worst.version.package_id}/step/suspend/")
    preview_and_bulk(window, worst)


def look(window: Window, path: str) -> None:
    """Open a page, unfold everything on it, and check that nothing ran and nothing foreign was asked for."""
    window.open(path)
    window.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    check(window)


def check(window: Window) -> None:
    """Check what the page did."""
    window.page.wait_for_load_state("networkidle")
    assert window.page.evaluate("window.ran") is None
    assert (window.foreign, window.refused, window.dialogs) == ([], [], [])
    assert window.page.locator("iframe, object, embed, base, .console script, .console style").count() == 0


def preview_and_bulk(window: Window, review: Review) -> None:
    """Go through the forms whose pages and messages repeat what a provider wrote."""
    page = window.page
    window.open(f"/admin/packages/review/{review.pk}/change/")
    page.get_by_role("button", name="Claim").click()
    page.locator("summary", has_text="Request changes").click()
    page.locator("#request_changes-reasons_0").check()
    page.locator("#request_changes-comment").fill(EXTRA[0])
    page.get_by_role("button", name="Request changes…").click()
    page.locator(".told").wait_for()
    check(window)
    window.open("/admin/packages/review/queue/data_only/")
    page.locator("[data-tick-all]").check()
    page.get_by_role("button", name="Approve…").click()
    page.get_by_label("Comment to the providers").fill(EXTRA[1])
    check(window)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("heading", name="queue").first.wait_for()
    check(window)


def hostile_case(acme: Maker, short: str, texts: list[str]) -> Review:
    """Write a text into every short field of a package, and many into its long ones, past every check."""
    version, joined = acme.version("submitted"), "\n".join(texts)
    package = version.package
    account = Account.objects.create(
        owner=acme.account.owner.__class__.objects.create_user(f"{package.slug}@example.com"),
        company_name=short,
        email="dev@example.com",
    )
    App.objects.filter(pk=package.app_id).update(logo_url=short, name=short[:SHORT])
    RuntimeApp.objects.filter(pk=package.app_id).update(runtime_url=short, health_check_url=short)
    Package.objects.filter(pk=package.pk).update(
        account=account,
        name=short[:SHORT],
        description=joined[:2000],
        category=short[:40],
        keywords=texts,
        images=texts,
        support_url=short,
        privacy_policy_url=short,
        pending_listing={"name": short, "images": texts},
    )
    capabilities = [hostile_descriptor(version.capabilities[0], text) for text in texts]
    Version.objects.filter(pk=version.pk).update(capabilities=capabilities, changelog=joined)
    fill_history(Version.objects.get(pk=version.pk), account, short, texts)
    review = open_review(version)
    Review.objects.filter(pk=review.pk).update(cause=joined[:500])
    for text in texts:
        ReviewMessage.objects.create(review=review, author="provider", user=account.owner, text=text)
    return Review.objects.select_related("version__package").get(pk=review.pk)


def hostile_descriptor(frozen: dict[str, Any], text: str) -> dict[str, Any]:
    """Return a frozen descriptor whose every text is the payload."""
    schema = {
        "type": "object",
        "properties": {
            text: {"type": "string", "title": text, "description": text, "enum": [text]},
            "value": {"type": "number", "description": text},
        },
    }
    return {
        **frozen,
        "name": text,
        "description": text,
        "permissions": [text],
        "schema": schema,
        "examples": [{"params": {text: text}, "data": {text: text, "value": 1}}],
    }


def fill_history(version: Version, account: Account, short: str, texts: list[str]) -> None:
    """Write the payloads into what checks, attestations and health checks quote."""
    checks = [
        {
            "check": "schema.bounded",
            "title": text,
            "dimension": "schema",
            "state": "fail",
            "weight": 1,
            "blocking": True,
            "capability": text,
            "message": text,
            "pointer": text,
        }
        for text in texts
    ]
    ValidationRun.objects.filter(version=version).update(checks=checks)
    Attestation.objects.create(
        version=version, account=account, kind="encryption", statement=short, signed_by=short, signed_at=timezone.now()
    )
    HealthCheck.objects.create(runtime_app_id=version.package.app_id, is_healthy=False, latency_ms=1, error=short[:200])
