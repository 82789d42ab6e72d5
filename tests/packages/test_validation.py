"""Validation runs over the API and through workers that die."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from aiffinity.lib.errors import NotFound
from packages.conformance import runner
from packages.models import RunState, ValidationRun, Version
from packages.publishing import delete_package
from packages.tasks import resume_validation_runs
from packages.validation import start_validation, wait_for_run
from packages.versions import edit_version
from tests.fakes import FakeProvider
from tests.packages.conftest import Maker
from tests.parallel import in_parallel
from tests.runtime import documents

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def served(fake_provider: FakeProvider, maker: Callable[..., Maker]) -> Maker:
    """A provider whose runtime app is the fake one."""
    return maker(fake_provider.url)


def test_validate_waits_and_answers_the_score_by_dimension(served: Maker, worker: None) -> None:
    version = served.version()
    response = served("POST", f"/{version.package_id}/versions/{version.pk}/validate", {})
    data = response.json()["data"]
    assert response.status_code == 200
    assert (data["state"], data["passed"], data["minimum_score"]) == ("passed", True, 80)
    assert data["score"] >= 80
    assert list(data["dimensions"]) == ["schema", "contract", "reliability", "performance", "security", "guidance"]
    assert [each["weight"] for each in data["dimensions"].values()] == [20, 25, 15, 15, 15, 10]
    assert all(len(each["checks"]) >= 3 for each in data["dimensions"].values())
    assert data["progress"]["done"] == data["progress"]["total"] > 20
    assert Version.objects.get(pk=version.pk).state == "validated"
    again = served("GET", f"/{version.package_id}/versions/{version.pk}/validations/{data['id']}").json()["data"]
    assert again == data


def test_validate_asked_to_respond_async_answers_202(served: Maker) -> None:
    version = served.version()
    path = f"/{version.package_id}/versions/{version.pk}/validate"
    response = served("POST", path, {}, headers={"Prefer": "respond-async"})
    assert (response.status_code, response.json()["data"]["state"]) == (202, "queued")
    second = served("POST", path, {}, headers={"Prefer": "respond-async"})
    assert second.json()["data"]["id"] == response.json()["data"]["id"]


def test_many_validations_at_once_share_one_run(served: Maker) -> None:
    version = served.version()
    runs = in_parallel(8, lambda: start_validation(version).pk)
    assert len(set(runs)) == 1


def test_version_stays_a_draft_when_the_run_fails(served: Maker, fake_provider: FakeProvider) -> None:
    version = served.version()
    fake_provider.malformed_json = True
    run = start_validation(version)
    runner.run_validation(run.pk)
    run.refresh_from_db()
    assert (run.state, run.finished_at is not None) == (RunState.FAILED, True)
    assert Version.objects.get(pk=version.pk).state == "draft"


def test_run_of_a_killed_worker_is_picked_up_when_its_lease_ends(served: Maker, worker: None) -> None:
    version = served.version()
    run = ValidationRun.objects.create(version=version, content_hash=version.content_hash)
    dead = runner.claim_run(run.pk)
    assert dead is not None
    assert runner.claim_run(run.pk) is None
    resume_validation_runs()
    run.refresh_from_db()
    assert run.state == RunState.RUNNING
    ValidationRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    resume_validation_runs()
    run = wait_for_run(run)
    assert (run.state, run.attempts_made) == (RunState.PASSED, 2)
    with pytest.raises(runner.LostLeaseError):
        dead.write(checks_done=1)


def test_run_that_was_broken_off_three_times_ends_errored(served: Maker) -> None:
    version = served.version()
    past = timezone.now() - timedelta(minutes=1)
    run = ValidationRun.objects.create(
        version=version, content_hash=version.content_hash, state="running", attempts_made=3, lease_until=past
    )
    assert runner.wanting_runs() == []
    run.refresh_from_db()
    assert (run.state, run.score, run.error) == (RunState.ERRORED, None, runner.GAVE_UP)


def test_edit_cancels_the_open_run_so_that_it_can_not_validate_other_content(served: Maker) -> None:
    version = served.version()
    run = start_validation(version)
    claim = runner.claim_run(run.pk)
    assert claim is not None
    edit_version(version, served.attempt, {"capabilities": [documents.HISTORY]})
    with pytest.raises(runner.LostLeaseError):
        runner.end_run(claim, version, [])
    run.refresh_from_db()
    assert (run.state, run.error) == ("errored", "The version was edited while the run was open; validate again.")
    assert start_validation(version).pk != run.pk


def test_rejected_version_is_not_validated(served: Maker) -> None:
    version = served.version("rejected")
    response = served("POST", f"/{version.package_id}/versions/{version.pk}/validate", {})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "INVALID_STATE")


def test_runs_are_listed_with_a_constant_number_of_queries(
    served: Maker, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    version = served.version("listed")
    for _ in range(12):
        ValidationRun.objects.create(version=version, content_hash=version.content_hash, state="failed")
    with django_assert_max_num_queries(8):
        response = served("GET", f"/{version.package_id}/versions/{version.pk}/validations?limit=10")
    assert response.json()["meta"]["pagination"] == {"total": 13, "limit": 10, "offset": 0, "hasMore": True}


def test_a_run_whose_package_is_deleted_meanwhile_is_not_found(served: Maker) -> None:
    version = served.version()
    run = start_validation(version)
    delete_package(version.package, served.attempt)
    with pytest.raises(NotFound):
        wait_for_run(run)
