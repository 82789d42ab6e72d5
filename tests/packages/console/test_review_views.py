"""The review page and its actions: who may post what, what is bound, and what is told."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from aiffinity.lib.errors import PlatformError
from packages import panels
from packages.models import Package, PolicyReason, Review, ReviewMessage, Version
from packages.versions import add_version
from tests.packages.conftest import Maker
from tests.packages.console.conftest import REVIEWS, Desk, reason, review_of
from tests.runtime import documents

MakeDesk = Callable[..., Desk]


@pytest.fixture
def submitted(acme: Maker) -> Review:
    """A submitted action_capable version's review."""
    return review_of(acme.version("submitted", risk_tier="action_capable"))


def state_of(review: Review) -> str:
    """Return the version's state as it is now."""
    return str(Version.objects.get(pk=review.version_id).state)


def test_reviewer_claims_and_approves(submitted: Review, desk: MakeDesk) -> None:
    rita = desk()
    assert "You hold this review" in rita.act(submitted, "claim")
    assert "Your approval is recorded." in rita.act(submitted, "approve", comment="Good work")
    assert state_of(submitted) == "approved"


def test_what_is_previewed_happens_only_when_it_is_confirmed(submitted: Review, desk: MakeDesk) -> None:
    rita = desk()
    rita.act(submitted, "claim")
    page = rita.post(f"{REVIEWS}/{submitted.pk}/act/reject/", {"reasons": [reason().pk], "comment": "No."})
    text = page.content.decode()
    assert "What the provider gets" in text
    assert "Tested reason" in text
    assert state_of(submitted) == "in_review"


def test_changes_without_a_reason_keep_the_comment_and_say_what_is_missing(submitted: Review, desk: MakeDesk) -> None:
    rita = desk()
    rita.act(submitted, "claim")
    page = rita.act(submitted, "request_changes", comment="A long explanation")
    assert "Tick at least one reason" in page
    assert "A long explanation" in page
    assert state_of(submitted) == "in_review"


def test_retired_reason_can_not_be_chosen(submitted: Review, desk: MakeDesk) -> None:
    rita = desk()
    rita.act(submitted, "claim")
    PolicyReason.objects.filter(pk=reason().pk).update(is_active=False)
    rita.act(submitted, "reject", reasons=[reason().pk])
    assert state_of(submitted) == "in_review"


def test_page_that_was_opened_before_a_change_approves_nothing(submitted: Review, desk: MakeDesk) -> None:
    rita = desk()
    rita.act(submitted, "claim")
    page = rita.act(submitted, "approve", config_hash="what was there before")
    assert "changed since you looked" in page
    assert state_of(submitted) == "in_review"
    preview = rita.post(f"{REVIEWS}/{submitted.pk}/act/approve/", {"content_hash": "0", "config_hash": "0"})
    assert "Look again" in preview.content.decode()


def test_verbs_errors_are_messages_that_say_what_to_do(acme: Maker, desk: MakeDesk) -> None:
    review = review_of(acme.version("submitted", risk_tier="high_trust"))
    rita = desk("security_reviewer")
    rita.act(review, "claim")
    page = rita.act(review, "approve")
    assert "Approve did not happen:" in page
    assert "attest" in page.lower()
    assert state_of(review) == "in_review"


def test_claimed_review_offers_no_decisions_to_others(submitted: Review, desk: MakeDesk) -> None:
    rita, paul = desk(), desk()
    rita.act(submitted, "claim")
    page = paul.get(f"{REVIEWS}/{submitted.pk}/change/")
    assert f"{rita.user.email}</strong> holds this review" in page
    assert "act/approve/" not in page
    assert "did not happen" in paul.act(submitted, "approve")
    assert state_of(submitted) == "in_review"


@pytest.mark.parametrize("name", ["claim", "approve", "reject", "request_changes", "escalate", "note", "message"])
def test_curator_sees_a_review_and_may_do_nothing_to_it(submitted: Review, desk: MakeDesk, name: str) -> None:
    carl = desk("curator")
    assert f"act/{name}/" not in carl.get(f"{REVIEWS}/{submitted.pk}/change/")
    body = {"confirmed": "1", "text": "x", "comment": "x", "reasons": [reason().pk]}
    assert carl.post(f"{REVIEWS}/{submitted.pk}/act/{name}/", body).status_code == 403
    assert state_of(submitted) == "submitted"
    assert not ReviewMessage.objects.exists()


def test_staff_without_a_group_and_strangers_see_nothing(submitted: Review, desk: MakeDesk, client) -> None:
    nobody = desk()
    nobody.user.groups.clear()
    for path in (f"{REVIEWS}/{submitted.pk}/change/", f"{REVIEWS}/queue/data_only/"):
        assert nobody.client.get(path).status_code == 403
        assert client.get(path).status_code == 302


def test_get_missing_token_and_unknown_action_change_nothing(submitted: Review, desk: MakeDesk) -> None:
    rita = desk()
    assert rita.client.get(f"{REVIEWS}/{submitted.pk}/act/claim/").status_code == 302
    assert rita.client.post(f"{REVIEWS}/{submitted.pk}/act/claim/").status_code == 403
    assert rita.post(f"{REVIEWS}/{submitted.pk}/act/publish/", {}).status_code == 404
    assert rita.post(f"{REVIEWS}/rev_none/act/claim/", {}).status_code == 404
    assert rita.post(f"{REVIEWS}/{submitted.pk}/change/", {"closed_at": "2026-01-01"}).status_code == 200
    assert state_of(submitted) == "submitted"


def test_notes_stay_private_and_messages_reach_the_provider(submitted: Review, desk: MakeDesk, acme: Maker) -> None:
    rita = desk()
    rita.act(submitted, "note", text="Looks odd to me")
    rita.act(submitted, "message", text="Which host is that?")
    page = rita.get(f"{REVIEWS}/{submitted.pk}/change/")
    assert page.index("Private note</span>") < page.index("Looks odd to me") < page.index("Which host is that?")
    version = submitted.version
    seen = acme("GET", f"/{version.package_id}/versions/{version.pk}/reviews").content.decode()
    assert "Which host is that?" in seen
    assert "Looks odd" not in seen


def test_escalated_review_is_marked_and_free_again(submitted: Review, desk: MakeDesk) -> None:
    rita = desk()
    rita.act(submitted, "claim")
    assert "escalated" in rita.act(submitted, "escalate", comment="Medical data?")
    found = Review.objects.get(pk=submitted.pk)
    assert found.escalated_at is not None
    assert found.claimed_by is None


def test_listed_version_is_suspended_after_a_look_at_its_reach(acme: Maker, desk: MakeDesk) -> None:
    version = acme.version("submitted", risk_tier="action_capable")
    review = review_of(version)
    acme.put_into(version, "listed")
    Package.objects.filter(pk=version.package_id).update(install_count=4321, calls_last_hour=99)
    rita = desk()
    preview = rita.post(f"{REVIEWS}/{review.pk}/act/suspend/", {"comment": "Complaints"}).content.decode()
    assert "4,321" in preview
    assert state_of(review) == "listed"
    rita.act(review, "suspend", comment="Complaints")
    assert state_of(review) == "suspended"


def test_page_shows_every_section_within_thirty_queries(acme: Maker, desk: MakeDesk) -> None:
    listed = acme.version("listed", risk_tier="high_trust", name="Storm Desk")
    fields = {"capabilities": [documents.STATE, documents.ACTION, documents.HISTORY, documents.REALTIME]}
    review = review_of(acme.put_into(add_version(listed.package, acme.attempt, fields), "submitted"))
    for number in range(5):
        acme.version("listed", name=f"Other {number}")
        ReviewMessage.objects.create(review=review, author="provider", text=f"Message {number}")
    rita = desk()
    rita.act(review, "claim")
    path = f"{REVIEWS}/{review.pk}/change/"
    rita.get(path)
    with CaptureQueriesContext(connection) as queries:
        page = rita.get(path)
    assert len(queries) <= 30, [query["sql"][:150] for query in queries]
    for section in ("drift", "listing", "capabilities", "gates", "validation", "health", "account", "decisions"):
        assert f'id="{section}"' in page
    for text in ("Storm Desk", "The capability create_task was added.", "account_verified", "Other 3", "Message 4"):
        assert text in page


def test_panel_of_a_room_upstairs_stands_on_the_page(
    submitted: Review, desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panels, "_PANELS", {})
    panels.register_panel("probe", "Probe", "admin/console/sections/audit.html", lambda _: {"audit": []})
    page = desk().get(f"{REVIEWS}/{submitted.pk}/change/")
    assert '<section class="card" id="panel-probe"><h3>Probe</h3>' in page


def test_closed_review_takes_notes_alone(submitted: Review, desk: MakeDesk) -> None:
    Review.objects.filter(pk=submitted.pk).update(closed_at=timezone.now() - timedelta(days=1), outcome="withdrawn")
    page = desk().get(f"{REVIEWS}/{submitted.pk}/change/")
    assert "This review is closed." in page
    assert "act/note/" in page
    assert "act/claim/" not in page


def test_no_error_of_the_tree_breaks_the_message(submitted: Review, desk: MakeDesk) -> None:
    assert issubclass(PlatformError, Exception)
    page = desk().act(submitted, "release")
    assert "Release did not happen:" in page


def test_review_opens_from_the_list_of_all_reviews(submitted: Review, desk: MakeDesk) -> None:
    rita = desk()
    [link] = re.findall(rf'href="({REVIEWS}/rev[^"]*/change/)[^"]*"', rita.get(f"{REVIEWS}/"))[:1]
    assert "_5F" in link
    assert f"{REVIEWS}/{submitted.pk}/act/claim/" in rita.get(link)


def test_message_is_previewed_in_the_words_of_its_mail(submitted: Review, desk: MakeDesk) -> None:
    answer = desk().post(f"{REVIEWS}/{submitted.pk}/act/message/", {"text": "Which source?"})
    page = answer.content.decode()
    assert "To answer: POST" in page
    assert f"/reviews/{submitted.pk}/reply" in page
    assert not ReviewMessage.objects.exists()


def test_rejecting_a_submission_names_no_installs_it_does_not_touch(submitted: Review, desk: MakeDesk) -> None:
    rita, body = desk(), {"reasons": [reason().pk], "comment": "No."}
    path = f"{REVIEWS}/{submitted.pk}/act/reject/"
    assert "Calls in the last hour" not in rita.post(path, body).content.decode()
    Review.objects.filter(pk=submitted.pk).update(kind="re_review")
    assert "Calls in the last hour" in rita.post(path, body).content.decode()


def test_sections_are_named_in_the_order_of_the_page(acme: Maker, desk: MakeDesk) -> None:
    review = review_of(acme.version("submitted", risk_tier="high_trust"))
    page = desk().get(f"{REVIEWS}/{review.pk}/change/")
    anchors = re.findall(r'<a href="#([a-z-]+)">', page[page.index('<nav class="sections"') :])
    places = [page.index(f'id="{anchor}"') for anchor in anchors]
    assert len(anchors) >= 9
    assert places == sorted(places)


def test_closed_review_says_how_long_it_took(submitted: Review, desk: MakeDesk) -> None:
    closed_at = submitted.first_submitted_at + timedelta(hours=5)
    Review.objects.filter(pk=submitted.pk).update(closed_at=closed_at, outcome="approved")
    page = desk().get(f"{REVIEWS}/{submitted.pk}/change/")
    assert "Took" in page
    assert ">5 h<" in page
    assert "Waiting for" not in page
