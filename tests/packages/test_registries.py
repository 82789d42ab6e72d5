"""Rooms upstairs extend this one: a conformance check, a policy gate and a panel of their own, from outside."""

from collections.abc import Callable, Iterator

import pytest

from packages import panels, policy
from packages.conformance import suite
from packages.conformance.case import Case
from packages.conformance.registry import CHECKS, Finding, capability_check, judge, version_check
from packages.generated_pages import render_conformance
from packages.models import Version
from packages.panels import register_panel, render_panels
from packages.policy import GateCase, register_gate
from packages.submission import submit_version
from runtime.models import RuntimeApp
from tests.packages.conftest import Maker
from tests.packages.console.conftest import REVIEWS, Desk, review_of
from tests.runtime import documents

pytestmark = pytest.mark.django_db


@pytest.fixture
def _restored() -> Iterator[None]:
    """Give the registries back as they were."""
    kept = [(registry, dict(registry)) for registry in (CHECKS, policy._GATES, panels._PANELS)]
    yield
    for registry, entries in kept:
        registry.clear()
        registry.update(entries)  # type: ignore[arg-type]


def case_of(version: Version) -> Case:
    runtime_app = RuntimeApp.objects.select_related("app").get(pk=version.package.app_id)
    return Case(version=version, runtime_app=runtime_app, run_id="run_registries")


@pytest.mark.usefixtures("_restored")
def test_check_of_another_room_is_asked_scored_and_documented(acme: Maker) -> None:
    @version_check("reliability", weight=100, is_blocking=True)
    def scenarios_pass(case: Case) -> Finding:
        """Every scenario passes."""
        return judge(case.version.version != "1.0.0", "They pass.", "A scenario fails; run it yourself.", "/scenarios")

    @capability_check("guidance", weight=3, modes=("history",))
    def history_is_deep(case: Case, capability: dict[str, object]) -> Finding:
        """A history goes back far enough."""
        return judge(is_good=True, good="It does.", bad="Keep more.")

    acme.capabilities = [documents.STATE, documents.HISTORY]
    case = case_of(acme.version())
    jobs = suite.plan(case)
    asked = [(job.check.name, job.capability and job.capability["name"]) for job in jobs]
    assert asked[-2:] == [("scenarios_pass", None), ("history_is_deep", "recent_transactions")]
    findings = [job.render(job.finding(case)) for job in jobs[-2:]]
    assert findings[0] == {
        "check": "scenarios_pass",
        "title": "Every scenario passes.",
        "dimension": "reliability",
        "state": "fail",
        "weight": 100,
        "blocking": True,
        "capability": None,
        "message": "A scenario fails; run it yourself.",
        "pointer": "/scenarios",
    }
    overall, dimensions = suite.score(findings)
    assert (overall, dimensions["reliability"]["score"], dimensions["guidance"]["score"]) == (40.0, 0.0, 100.0)
    assert not suite.has_passed(99.0, findings)
    assert "| `scenarios_pass` | Every scenario passes. **Blocking.** | the version | 100 |" in render_conformance()


@pytest.mark.parametrize(("dimension", "message"), [("beauty", "no dimension 'beauty'"), ("schema", "already")])
@pytest.mark.usefixtures("_restored")
def test_check_of_no_dimension_or_of_a_name_in_use_is_refused(dimension: str, message: str) -> None:
    before = dict(CHECKS)

    def properties_typed(case: Case) -> Finding:
        """A name that is taken."""
        return judge(is_good=True, good="", bad="")

    with pytest.raises(ValueError, match=message):
        version_check(dimension)(properties_typed)
    assert before == CHECKS


@pytest.mark.usefixtures("_restored")
def test_gate_of_another_room_is_shown_and_holds_back_over_http(acme: Maker) -> None:
    @register_gate("sandbox_evidence", "The scenarios pass.")
    def sandbox_evidence(case: GateCase) -> str | None:
        return None if case.version.changelog else "Run the scenarios in the sandbox."

    version = acme.version("validated")
    path = f"/{version.package_id}/versions/{version.pk}"
    gate = {"name": "sandbox_evidence", "passed": False, "message": "Run the scenarios in the sandbox."}
    assert acme("GET", path).json()["data"]["gates"][-1] == gate
    refused = acme("POST", f"{path}/submit", {})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "GATE_NOT_PASSED")
    assert [detail["code"] for detail in refused.json()["error"]["details"]] == ["sandbox_evidence"]
    assert Version.objects.get(pk=version.pk).state == "validated"
    Version.objects.filter(pk=version.pk).update(changelog="They pass now.")
    assert submit_version(Version.objects.get(pk=version.pk), acme.attempt).state == "listed"


@pytest.mark.usefixtures("_restored")
def test_panel_of_another_room_is_rendered_and_stands_on_the_review_page(
    acme: Maker, make_reviewer: Callable[..., object]
) -> None:
    version = acme.version("submitted", risk_tier="action_capable")
    row = {"action": "sandbox.passed", "actor": "system", "reason": f"Scenarios of {version.pk}"}
    register_panel("sandbox", "Sandbox evidence", "admin/console/sections/audit.html", lambda _: {"audit": [row]})
    assert [panel["title"] for panel in render_panels(version)][-1] == "Sandbox evidence"
    desk = Desk(make_reviewer())  # type: ignore[arg-type]
    page = desk.get(f"{REVIEWS}/{review_of(version).pk}/change/")
    assert '<section class="card" id="panel-sandbox"><h3>Sandbox evidence</h3>' in page
    assert f"Scenarios of {version.pk}" in page
