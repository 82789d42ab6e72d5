"""The queues: their order, filters and counts, and the bulk actions."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from packages.models import Package, Review, Version
from packages.versions import add_version
from tests.packages.conftest import Maker
from tests.packages.console.conftest import REVIEWS, Desk, review_of
from tests.runtime import documents

MakeDesk = Callable[..., Desk]
QUEUE = f"{REVIEWS}/queue/action_capable/"
HOUR = timedelta(hours=1)


def queued(acme: Maker, name: str, hours_left: int, **columns) -> Review:
    """Put a case into the queue that is due in so many hours."""
    review = review_of(acme.version("submitted", risk_tier="action_capable", name=name))
    Review.objects.filter(pk=review.pk).update(due_at=timezone.now() + hours_left * HOUR, **columns)
    return Review.objects.get(pk=review.pk)


def names(page: str) -> list[str]:
    """Return the packages of the known names in the order in which the page shows them."""
    known = ["Late", "Urgent", "Calm", "Mine", "Stuck"]
    return sorted((name for name in known if f">{name}</a>" in page), key=lambda name: page.index(f">{name}</a>"))


@pytest.fixture
def busy(acme: Maker, desk: MakeDesk) -> Desk:
    """A reviewer before a queue of five."""
    rita, now = desk(), timezone.now()
    queued(acme, "Calm", 40)
    queued(acme, "Late", -3)
    queued(acme, "Urgent", 2, kind="re_review")
    queued(acme, "Mine", 30, claimed_by=rita.user, claim_expires_at=now + HOUR / 3)
    queued(acme, "Stuck", 20, escalated_at=now)
    return rita


def test_overdue_ones_come_first_and_the_page_says_how_long_there_is(busy: Desk) -> None:
    page = busy.get(QUEUE)
    assert names(page) == ["Late", "Urgent", "Stuck", "Mine", "Calm"]
    assert "overdue by 3 h" in page or "overdue by 2 h 59 min" in page
    assert "1 overdue" in page
    assert "not known yet" in page
    assert "First listing" in page
    assert "<strong>You</strong>" in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("show=mine", ["Mine"]),
        ("show=unclaimed", ["Late", "Urgent", "Stuck", "Calm"]),
        ("show=overdue", ["Late"]),
        ("show=escalated", ["Stuck"]),
        ("kind=re_review", ["Urgent"]),
        ("q=calm", ["Calm"]),
        ("show=nonsense&page=nonsense", ["Late", "Urgent", "Stuck", "Mine", "Calm"]),
        ("q=nothing+like+it", []),
    ],
)
def test_filters(busy: Desk, query: str, expected: list[str]) -> None:
    page = busy.get(f"{QUEUE}?{query}")
    assert names(page) == expected
    assert ("Nothing fits these filters." in page) == (not expected)


def test_empty_queue_says_so_and_an_unknown_tier_is_not_found(desk: MakeDesk) -> None:
    rita = desk()
    assert "The queue is empty." in rita.get(QUEUE)
    assert rita.client.get(f"{REVIEWS}/queue/diamond/").status_code == 404


def test_case_that_waits_for_the_provider_is_in_no_queue(acme: Maker, desk: MakeDesk) -> None:
    acme.version("changes_requested", risk_tier="action_capable", name="Late")
    assert names(desk().get(QUEUE)) == []


def test_row_shows_the_drift_from_what_is_listed(acme: Maker, desk: MakeDesk) -> None:
    listed = acme.version("listed", risk_tier="action_capable")
    added = add_version(listed.package, acme.attempt, {"capabilities": [documents.STATE, documents.ACTION]})
    acme.put_into(added, "submitted")
    assert '<span class="badge is-widening">Widening</span>' in desk().get(QUEUE)


def test_page_of_many_needs_no_more_queries_than_one_of_few(acme: Maker, desk: MakeDesk) -> None:
    rita = desk()
    for number in range(27):
        queued(acme, f"Package {number}", number)
    rita.get(QUEUE)
    with CaptureQueriesContext(connection) as queries:
        page = rita.get(QUEUE)
    assert len(queries) <= 15, [query["sql"][:150] for query in queries]
    assert "1 to 25 of 27" in page
    assert "26 to 27 of 27" in rita.get(f"{QUEUE}?page=2")


def test_bulk_approval_shows_its_reach_and_happens_when_confirmed(acme: Maker, desk: MakeDesk) -> None:
    reviews = [queued(acme, name, 5) for name in ("Calm", "Late")]
    Package.objects.update(install_count=1500, calls_last_hour=20)
    rita, path = desk(), f"{QUEUE}approve/"
    body = {"review": [review.pk for review in reviews]}
    preview = rita.post(path, body).content.decode()
    assert "3,000" in preview
    assert "Say why" in rita.post(path, {**body, "confirmed": "1", "comment": " "}).content.decode()
    assert set(Version.objects.values_list("state", flat=True)) == {"submitted"}
    done = rita.post(path, {**body, "confirmed": "1", "comment": "Same fix in both"}).content.decode()
    assert "Approved 2 of 2." in done
    assert set(Version.objects.values_list("state", flat=True)) == {"approved"}


def test_bulk_approval_binds_what_its_preview_showed(acme: Maker, desk: MakeDesk) -> None:
    review = queued(acme, "Calm", 5)
    body = {"review": [review.pk], "seen": [f"{review.pk}:{'0' * 64}:{acme.config_hash}"], "confirmed": "1"}
    page = desk().post(f"{QUEUE}approve/", {**body, "comment": "Fine"}).content.decode()
    assert "changed since you looked" in page
    assert Version.objects.get(pk=review.version_id).state == "submitted"


def test_bulk_suspension_stops_what_the_ticked_packages_have_listed(acme: Maker, desk: MakeDesk) -> None:
    listed = acme.version("listed", risk_tier="action_capable")
    added = add_version(listed.package, acme.attempt, {"capabilities": [documents.STATE, documents.ACTION]})
    review = review_of(acme.put_into(added, "submitted"))
    rita, path = desk(), f"{QUEUE}suspend/"
    assert listed.version in rita.post(path, {"review": [review.pk]}).content.decode()
    body = {"review": [review.pk], "confirmed": "1", "comment": "It leaks"}
    assert "Suspended 1 of 1." in rita.post(path, body).content.decode()
    assert Version.objects.get(pk=listed.pk).state == "suspended"


def test_bulk_approval_shows_drift_and_who_holds_each(acme: Maker, desk: MakeDesk) -> None:
    sam = desk("security_reviewer")
    columns = {"claimed_by": sam.user, "claim_expires_at": timezone.now() + HOUR}
    review = queued(acme, "Calm", 5, **columns)
    preview = desk().post(f"{QUEUE}approve/", {"review": [review.pk]}).content.decode()
    assert "First listing" in preview
    assert sam.user.email in preview


@pytest.mark.parametrize("comment", ["a\x00b", "x" * 5001])
def test_bulk_comment_that_can_not_be_kept_is_refused(acme: Maker, desk: MakeDesk, comment: str) -> None:
    review = queued(acme, "Calm", 5)
    answer = desk().post(f"{QUEUE}approve/", {"review": [review.pk, "\x00"], "confirmed": "1", "comment": comment})
    assert answer.status_code == 422
    assert Version.objects.get(pk=review.version_id).state == "submitted"


def test_bulk_actions_need_ticks_permission_and_a_known_name(acme: Maker, desk: MakeDesk) -> None:
    review = queued(acme, "Calm", 5)
    body = {"review": [review.pk], "confirmed": "1", "comment": "x"}
    assert "Tick at least one review first." in desk().post(f"{QUEUE}approve/", {}).content.decode()
    assert desk("curator").post(f"{QUEUE}approve/", body).status_code == 403
    assert desk("curator").post(f"{QUEUE}suspend/", body).status_code == 403
    assert desk().post(f"{QUEUE}publish/", body).status_code == 404
    assert Version.objects.get(pk=review.version_id).state == "submitted"


def test_start_page_and_sidebar_count_the_queues(busy: Desk) -> None:
    page = busy.get("/admin/")
    assert '<span class="start-count">5</span>' in page
    assert "1 overdue" in page
    assert names(page) == ["Mine"]
