"""Suspending, resuming and granting outside of a review, and the pages of the packages room."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone

from packages.models import CannedText, CurationGrant, Package, PolicyReason, Version
from providers.models import User
from tests.packages.conftest import Maker
from tests.packages.console.conftest import Desk, reason

MakeDesk = Callable[..., Desk]
PAGES = "/admin/packages"


def test_version_is_suspended_with_a_reason_and_the_provider_can_not_resume_it(acme: Maker, desk: MakeDesk) -> None:
    version, rita = acme.version("listed"), desk()
    step = f"{PAGES}/version/{version.pk}/step/suspend/"
    assert step in rita.get(f"{PAGES}/version/{version.pk}/change/")
    assert rita.post(step, {"reason": ""}).status_code == 422
    assert Version.objects.get(pk=version.pk).state == "listed"
    assert "Done: suspend this version." in rita.post(step, {"reason": "Complaints"}).content.decode()
    assert Version.objects.get(pk=version.pk).suspended_by == "reviewer"
    response = acme("POST", f"/{version.package_id}/versions/{version.pk}/resume", {})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "INVALID_STATE")


@pytest.mark.parametrize("what", ["version", "package"])
def test_ops_suspends_and_a_reviewer_alone_resumes(acme: Maker, desk: MakeDesk, what: str) -> None:
    acme.subscribe()
    version, olga, rita = acme.version("listed"), desk("ops"), desk()
    page = f"{PAGES}/{what}/{version.pk if what == 'version' else version.package_id}"
    suspend, resume = f"{page}/step/suspend/", f"{page}/step/resume/"
    assert suspend in olga.get(f"{page}/change/")
    olga.post(suspend, {"reason": "Complaints"})
    assert not Version.objects.listed().exists()
    assert resume not in olga.get(f"{page}/change/")
    assert olga.post(resume, {"reason": "Never mind"}).status_code == 403
    assert olga.client.get(resume).status_code == 403
    assert not Version.objects.listed().exists()
    assert acme.events() == ["package.suspended"]
    assert resume in rita.get(f"{page}/change/")
    rita.post(resume, {"reason": "Looked into"})
    assert Version.objects.listed().exists()
    assert acme.events() == ["package.suspended", "package.resumed"]


def test_curator_gives_and_takes_the_curation_grant(acme: Maker, desk: MakeDesk) -> None:
    package, carl = acme.package(risk_tier="strategic_surface"), desk("curator")
    step = f"{PAGES}/package/{package.pk}/step"
    carl.post(f"{step}/grant_curation/", {"reason": "Good for mornings"})
    grant = CurationGrant.objects.get(package=package)
    assert (grant.granted_by, grant.note, grant.revoked_at) == (carl.user, "Good for mornings", None)
    assert "has a curation grant already" in carl.post(f"{step}/grant_curation/", {"reason": "Again"}).content.decode()
    carl.post(f"{step}/revoke_curation/", {"reason": "Off the surface"})
    assert CurationGrant.objects.get(package=package).revoked_at is not None


@pytest.mark.parametrize(("group", "name"), [("reviewer", "grant_curation"), ("curator", "suspend")])
def test_step_of_another_group_is_refused(acme: Maker, desk: MakeDesk, group: str, name: str) -> None:
    package, staff = acme.package(), desk(group)
    path = f"{PAGES}/package/{package.pk}/step/{name}/"
    assert path not in staff.get(f"{PAGES}/package/{package.pk}/change/")
    assert staff.post(path, {"reason": "x"}).status_code == 403
    assert staff.client.get(path).status_code == 403
    assert not CurationGrant.objects.exists()
    assert Package.objects.get(pk=package.pk).suspended_at is None


@pytest.mark.parametrize(("page", "name"), [("version", "suspend"), ("package", "suspend")])
def test_page_that_is_opened_from_its_list_has_its_steps(acme: Maker, desk: MakeDesk, page: str, name: str) -> None:
    acme.version("listed")
    rita = desk()
    [link] = re.findall(rf'href="({PAGES}/{page}/[a-z]+_5F[^"]*/change/)[^"]*"', rita.get(f"{PAGES}/{page}/"))[:1]
    assert f"/step/{name}/" in rita.get(link)


def test_unknown_step_and_get_change_nothing(acme: Maker, desk: MakeDesk) -> None:
    version, rita = acme.version("listed"), desk()
    assert rita.client.get(f"{PAGES}/version/{version.pk}/step/explode/").status_code == 404
    assert rita.client.get(f"{PAGES}/version/{version.pk}/step/suspend/").status_code == 200
    assert rita.client.post(f"{PAGES}/version/{version.pk}/step/suspend/", {"reason": "x"}).status_code == 403
    assert rita.post(f"{PAGES}/version/{version.pk}/change/", {"state": "draft"}).status_code == 403
    assert Version.objects.get(pk=version.pk).state == "listed"


def test_policy_reasons_and_canned_texts_are_edited_by_reviewers(desk: MakeDesk) -> None:
    rita, row = desk(), reason()
    body = {"code": "tested", "title": "Another title", "text": "Text", "link": "", "is_active": "on"}
    rita.post(f"{PAGES}/policyreason/{row.pk}/change/", body)
    assert PolicyReason.objects.get(pk=row.pk).title == "Another title"
    rita.post(f"{PAGES}/cannedtext/add/", {"title": "Hello", "text": "Thank you for this."})
    assert CannedText.objects.get(title="Hello").text == "Thank you for this."
    assert rita.client.get(f"{PAGES}/policyreason/{row.pk}/delete/").status_code == 403
    rita.post(f"{PAGES}/policyreason/{row.pk}/change/", {**body, "code": "renamed"})
    assert PolicyReason.objects.get(pk=row.pk).code == "tested"


@pytest.mark.parametrize(
    "page",
    [
        *("version", "package", "validationrun", "review", "reviewdecision"),
        *("attestation", "policyreason", "cannedtext", "curationgrant"),
    ],
)
def test_lists_open_for_reviewers(acme: Maker, desk: MakeDesk, page: str) -> None:
    acme.version("submitted")
    desk().get(f"{PAGES}/{page}/")


@pytest.mark.parametrize("what", ["version", "package"])
def test_superuser_does_not_resume_what_is_their_own(
    acme: Maker, make_reviewer: Callable[..., User], what: str
) -> None:
    version = acme.version("suspended", risk_tier="action_capable")
    Version.objects.filter(pk=version.pk).update(suspended_by="reviewer")
    Package.objects.filter(pk=version.package_id).update(suspended_at=timezone.now())
    User.objects.filter(pk=acme.account.owner_id).update(is_staff=True, is_superuser=True)
    pk = version.pk if what == "version" else version.package_id
    step = f"{PAGES}/{what}/{pk}/step/resume/"
    page = Desk(User.objects.get(pk=acme.account.owner_id)).post(step, {"reason": "Mine"}).content.decode()
    assert "Nobody decides on what they or their own account submitted." in page
    assert Version.objects.get(pk=version.pk).state == "suspended"
    assert Package.objects.get(pk=version.package_id).suspended_at is not None
    Desk(make_reviewer()).post(step, {"reason": "Looked into"})
    resumed = Version.objects.select_related("package").get(pk=version.pk)
    assert (resumed.state == "listed") == (what == "version")
    assert (resumed.package.suspended_at is None) == (what == "package")
