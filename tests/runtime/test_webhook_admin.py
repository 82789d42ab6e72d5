"""Ops at the console's webhook pages: they look, filter, replay, recover and enable; nobody else does."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from aiffinity.lib.models import AuditEntry
from packages.groups import ensure_groups
from providers.models import App, User
from runtime.deliveries.drain import drain_due
from runtime.deliveries.recovering import recover_deliveries
from runtime.deliveries.recovery_batches import carry_out_recoveries
from runtime.models import Delivery, DeliveryAttempt, Recovery, WebhookEndpoint
from tests.fakes import FakeProvider
from tests.runtime.endpoints import make_endpoint, post

pytestmark = pytest.mark.django_db
PAGES = "/admin/runtime"
WHY = {"reason": "The provider asked for it."}


class Desk:
    """One staff member at the console, with CSRF checks on."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = Client(enforce_csrf_checks=True)
        self.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    def get(self, path: str) -> str:
        """Open a page and return it."""
        answer = self.client.get(f"{PAGES}/{path}")
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.content.decode()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Post a form with the session's token, and follow where it leads."""
        self.client.get("/admin/password_change/")
        token = self.client.cookies["csrftoken"].value
        return self.client.post(f"{PAGES}/{path}", {**body, "csrfmiddlewaretoken": token}, follow=True)


@pytest.fixture
def desk(make_user):
    """Return a function that sits somebody of a group at the console."""

    def sit(group: str = "ops") -> Desk:
        ensure_groups()
        user = make_user(is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        return Desk(User.objects.get(pk=user.pk))

    return sit


@pytest.fixture
def endpoint(make_account, fake_provider: FakeProvider) -> WebhookEndpoint:
    """The endpoint of the fake provider, which gives up at once."""
    return make_endpoint(make_account(), fake_provider.webhook_url, max_retries=0)


def failed(endpoint: WebhookEndpoint, fake_provider: FakeProvider, count: int = 1) -> list[Delivery]:
    """Let deliveries fail for good."""
    fake_provider.webhook_script = [400] * count
    deliveries = post(endpoint, count)
    drain_due(linger_seconds=0)
    fake_provider.recording.clear()
    return deliveries


def test_lists_show_filter_and_search(desk, endpoint, fake_provider):
    [bad] = failed(endpoint, fake_provider)
    [good] = post(endpoint)
    drain_due(linger_seconds=0)
    olga = desk()
    both = {bad.pk, good.pk}
    for page, shown in (
        ("delivery/", both),
        ("delivery/?status__exact=failed", {bad.pk}),
        ("delivery/?event_type=install.created", both),
        ("delivery/?event_type=package.published", set()),
        (f"delivery/?q={good.pk}", {good.pk}),
        (f"delivery/?q={bad.event_id}", {bad.pk}),
        (f"delivery/?q={endpoint.pk}", both),
        ("deliveryattempt/", both),
        ("deliveryattempt/?outcome=success", {good.pk}),
        ("deliveryattempt/?outcome=refused", {bad.pk}),
        ("deliveryattempt/?outcome=silent", set()),
        (f"deliveryattempt/?delivery={bad.pk}", {bad.pk}),
        (f"deliveryattempt/?q={bad.pk}", {bad.pk}),
        (f"deliveryattempt/?q={good.event_id}", {good.pk}),
        (f"deliveryattempt/?q={endpoint.pk}", both),
        ("deliveryattempt/?q=app_none", set()),
    ):
        text = olga.get(page)
        assert {pk for pk in both if f">{pk}" in text} == shown, page
    assert "The endpoint answered 400." in olga.get("deliveryattempt/")


def test_links_lead_from_an_endpoint_to_its_deliveries_and_on_to_their_attempts(
    desk, endpoint, fake_provider, make_account
):
    [delivery] = failed(endpoint, fake_provider)
    other = make_endpoint(make_account("Other Company"), fake_provider.webhook_url, name="Other Weather")
    failed(other, fake_provider)
    olga = desk()
    endpoints = olga.get("webhookendpoint/")
    assert f"Acme Weather ({endpoint.pk})" in endpoints
    [link] = re.findall(rf'href="{PAGES}/(delivery/\?[^"]*{endpoint.pk})"', endpoints)
    page = olga.get(f"webhookendpoint/{quote(endpoint.pk)}/change/")
    links = [link, *re.findall(rf'href="{PAGES}/(delivery/\?[^"]*{endpoint.pk})"', page)]
    shown = [re.findall(r"dlv_[0-9A-Z]{26}(?=</)", olga.get(unescape(link))) for link in links]
    assert shown == [[delivery.pk], [delivery.pk], [delivery.pk], []]
    page = olga.get(f"delivery/{delivery.pk}/change/")
    [link] = re.findall(rf'href="{PAGES}/(deliveryattempt/\?[^"]*)"', page)
    attempts = olga.get(link)
    assert "The endpoint answered 400." in attempts
    assert set(re.findall(r"dlv_[0-9A-Z]{26}", attempts)) == {delivery.pk}


@pytest.mark.parametrize(
    "asked", ["acme weather", "Acme+Weather", "{endpoint.pk}", "hooks.acmeweather.com", "https://hooks.acme", "no such"]
)
def test_an_endpoint_is_found_by_app_company_or_url(desk, endpoint, asked):
    App.objects.update(name="Tides", webhook_url="https://hooks.acmeweather.com/in/aiffinity")
    page = desk().get(f"webhookendpoint/?q={asked.format(endpoint=endpoint)}")
    is_found = asked != "no such"
    for told in (f"Tides ({endpoint.pk})", "Acme Weather</", "https://hooks.acmeweather.com/in/aiffinity"):
        assert (told in page) is is_found


def test_pages_show_ids_to_the_letter_and_times_to_the_second(desk, endpoint, fake_provider):
    [delivery] = failed(endpoint, fake_provider)
    olga = desk()
    for page, shown in (("delivery", delivery.pk), ("event", delivery.event_id)):
        assert re.search(rf">\s*{shown}\s*</", olga.get(f"{page}/{quote(shown)}/change/"))
    began_at = DeliveryAttempt.objects.get().attempted_at
    assert f"{began_at:%Y-%m-%d %H:%M:%S} UTC" in olga.get("deliveryattempt/")


@pytest.mark.parametrize("page", ["delivery", "event", "deliveryattempt"])
def test_search_is_one_that_the_indexes_answer(desk, endpoint, fake_provider, page):
    [delivery] = failed(endpoint, fake_provider)
    olga = desk()
    with CaptureQueriesContext(connection) as captured:
        olga.get(f"{page}/?q={delivery.event_id}")
    asked = [query["sql"] for query in captured if delivery.event_id in query["sql"]]
    assert asked
    with connection.cursor() as cursor:
        # What is left is a scan of a bitmap, which there is for a condition on an index alone.
        for kind in ("seqscan", "indexscan", "indexonlyscan"):
            cursor.execute(f"SET LOCAL enable_{kind} = off")
        for sql in asked:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert not re.search(
                r"(Seq|Index|Index Only) Scan.* on runtime_(event|delivery|deliveryattempt)\b", plan
            ), plan


@pytest.mark.parametrize(
    ("fields", "state", "colour"),
    [
        ({}, "healthy", "green"),
        ({"failing_since": timezone.now()}, "failing", "orange"),
        ({"failing_since": timezone.now(), "breaker_open_until": timezone.now()}, "left alone", "orange"),
        ({"disabled_at": timezone.now(), "disabled_reason": "gone"}, "disabled", "red"),
    ],
)
def test_endpoints_show_their_standing_in_colour(desk, endpoint, fields, state, colour):
    WebhookEndpoint.objects.update(**fields)
    olga = desk()
    text = olga.get("webhookendpoint/")
    assert state in text
    since = fields.get("disabled_at", fields.get("failing_since"))
    assert since is None or f"{since:%Y-%m-%d %H:%M:%S} UTC" in text
    assert f"bg-{colour}-100" in text
    for name in ("disabled", "failing", "healthy"):
        is_shown = f"/webhookendpoint/{quote(endpoint.pk)}/change/" in olga.get(f"webhookendpoint/?state={name}")
        assert is_shown == (name == {"left alone": "failing"}.get(state, state))
    page = olga.get(f"webhookendpoint/{quote(endpoint.pk)}/change/")
    assert endpoint.runtime_app.app.webhook_url in page
    assert f"/webhookendpoint/{endpoint.pk}/step/" in page


@pytest.mark.parametrize("page", ["webhookendpoint", "event", "delivery", "deliveryattempt", "recovery"])
def test_lists_take_the_same_queries_for_any_page(desk, make_account, fake_provider, page):
    olga = desk()

    def count_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            olga.get(f"{page}/")
        return len(captured)

    def add_rows(name: str) -> None:
        endpoint = make_endpoint(make_account(name), fake_provider.webhook_url)
        post(endpoint, 4)
        drain_due(linger_seconds=0)
        recover_deliveries(endpoint, since=timezone.now(), actor="test")

    add_rows("First Company")
    count_queries()
    few = count_queries()
    for number in range(4):
        add_rows(f"Company {number}")
    assert count_queries() <= few


def test_ops_replay_a_delivery_with_a_reason(desk, endpoint, fake_provider):
    [delivery] = failed(endpoint, fake_provider)
    olga, step = desk(), f"delivery/{delivery.pk}/step/replay/"
    assert step in olga.get(f"delivery/{delivery.pk}/change/")
    assert "same body" in olga.get(step)
    assert olga.post(step, {"reason": ""}).status_code == 422
    delivery.refresh_from_db()
    assert delivery.status == "failed"
    assert "The delivery is sent again." in olga.post(step, WHY).content.decode()
    drain_due(linger_seconds=0)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made) == ("delivered", 2)
    entry = AuditEntry.objects.get(action="webhook_delivery.replayed")
    assert (entry.actor, entry.reason) == (f"user:{olga.user.pk}", WHY["reason"])


def test_ops_send_at_once_what_would_be_tried_again_in_hours(desk, endpoint, fake_provider):
    WebhookEndpoint.objects.update(max_retries=5)
    [delivery] = failed(endpoint, fake_provider)
    later = timezone.now() + timedelta(hours=4)
    Delivery.objects.update(next_attempt_at=later)
    olga, step = desk(), f"delivery/{delivery.pk}/step/replay/"
    assert step in olga.get(f"delivery/{delivery.pk}/change/")
    assert "The delivery is sent again." in olga.post(step, WHY).content.decode()
    drain_due(linger_seconds=0)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made) == ("delivered", 2)
    Delivery.objects.update(status="pending", lease_until=later, next_attempt_at=later)
    assert step not in olga.get(f"delivery/{delivery.pk}/change/")


def test_ops_recover_what_failed_since(desk, endpoint, fake_provider):
    failed(endpoint, fake_provider, 3)
    olga, step = desk(), f"webhookendpoint/{endpoint.pk}/step/recover/"
    assert step in olga.get(f"webhookendpoint/{endpoint.pk}/change/")
    assert "Such as 2026-04-04 10:00." in olga.get(step)
    for since in ("", "soon", "2999-01-01 00:00"):
        assert olga.post(step, {**WHY, "since": since}).status_code == 422
    assert Delivery.objects.filter(status="failed").count() == 3
    since = (timezone.now() - timedelta(hours=1)).strftime("%Y-%m-%d %H:%M")
    # As the console shows times, and the API.
    for spelling in (since, f"{since}:00 UTC", f"{since.replace(' ', 'T')}:00Z"):
        Delivery.objects.update(status="failed", finished_at=timezone.now())
        told = olga.post(step, {**WHY, "since": spelling}).content.decode()
        recovery = Recovery.objects.latest("created_at")
        assert f"3 deliveries are sent again; {recovery.pk} shows how far it is." in told
        [link] = re.findall(rf'href="{PAGES}/(recovery/\?[^"]*{endpoint.pk})"', told)
        for progress in ("0 of 3", "3 of 3"):
            shown = olga.get(link)
            assert all(text in shown for text in (recovery.pk, progress, f"user:{olga.user.pk}")), progress
            assert progress in olga.get(f"recovery/{recovery.pk}/change/")
            carry_out_recoveries()
    drain_due(linger_seconds=0)
    assert Delivery.objects.filter(status="delivered").count() == 3
    told = AuditEntry.objects.filter(action="webhook.recovered").values_list("reason", flat=True)
    assert list(told) == [WHY["reason"]] * 3


def test_ops_enable_a_disabled_endpoint_and_test_it(desk, endpoint, fake_provider):
    WebhookEndpoint.objects.update(disabled_at=timezone.now(), disabled_reason="failing")
    olga, step = desk(), f"webhookendpoint/{endpoint.pk}/step"
    page = olga.get(f"webhookendpoint/{endpoint.pk}/change/")
    assert f"{step}/enable/" in page
    assert f"{step}/recover/" not in page
    refused = olga.post(f"{step}/ping/", WHY).content.decode()
    assert "Send a test did not happen" in refused
    assert "The endpoint is enabled." in olga.post(f"{step}/enable/", WHY).content.decode()
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None
    assert "is not disabled" in olga.post(f"{step}/enable/", WHY).content.decode()
    assert "The test is on its way" in olga.post(f"{step}/ping/", WHY).content.decode()
    drain_due(linger_seconds=0)
    [request] = fake_provider.requests_to("webhooks")
    assert request.json["type"] == "platform.ping"


@pytest.mark.parametrize("group", ["reviewer", "curator"])
def test_others_neither_see_nor_do_any_of_it(desk, endpoint, fake_provider, group):
    [delivery] = failed(endpoint, fake_provider)
    staff = desk(group)
    for page in ("delivery/", "deliveryattempt/", "webhookendpoint/", "recovery/", f"delivery/{delivery.pk}/change/"):
        assert staff.client.get(f"{PAGES}/{page}").status_code == 403
    for step in (f"delivery/{delivery.pk}/step/replay/", f"webhookendpoint/{endpoint.pk}/step/recover/"):
        assert staff.client.get(f"{PAGES}/{step}").status_code == 403
        assert staff.post(step, {**WHY, "since": "2026-04-04 10:00"}).status_code == 403
    delivery.refresh_from_db()
    assert delivery.status == "failed"


def test_get_without_token_and_unknown_steps_change_nothing(desk, endpoint, fake_provider):
    [delivery] = failed(endpoint, fake_provider)
    olga, step = desk(), f"{PAGES}/delivery/{delivery.pk}/step"
    assert olga.client.get(f"{step}/replay/?reason=x").status_code == 200
    assert olga.client.post(f"{step}/replay/", WHY).status_code == 403
    assert olga.client.get(f"{step}/explode/").status_code == 404
    assert olga.client.get(f"{PAGES}/delivery/dlv_none/step/replay/").status_code == 404
    for page in (f"delivery/{delivery.pk}", f"webhookendpoint/{endpoint.pk}"):
        assert olga.post(f"{page}/change/", {"status": "delivered", "disabled_reason": "x"}).status_code == 403
        assert olga.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
    delivery.refresh_from_db()
    assert delivery.status == "failed"
    assert DeliveryAttempt.objects.count() == 1


def test_pages_load_nothing_inline(desk, endpoint, fake_provider):
    [delivery] = failed(endpoint, fake_provider)
    olga = desk()
    for page in (f"delivery/{delivery.pk}/change/", f"delivery/{delivery.pk}/step/replay/", "deliveryattempt/"):
        text = olga.get(page)
        assert "<style" not in text
        assert " style=" not in text
