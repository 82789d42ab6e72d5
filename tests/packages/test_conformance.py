"""The conformance suite against a real local provider: good ones pass, each fault is seen where it belongs."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from aiffinity.lib.crypto import Secret
from aiffinity.lib.ids import new_id
from packages.conformance import suite
from packages.conformance.case import Case
from packages.conformance.registry import CHECKS, DIMENSION_WEIGHTS
from packages.models import Version
from runtime.auth_profiles import put_auth_profile
from runtime.models import RuntimeApp
from runtime.named_secrets import set_named_secret
from tests.fakes import FakeProvider
from tests.fakes.switches import Reply
from tests.packages.conftest import Maker
from tests.runtime import documents

pytestmark = pytest.mark.django_db(transaction=True)

CANARY = "canary-named-secret"


def run(version: Version) -> tuple[float | None, dict[str, Any], list[dict[str, Any]]]:
    """Run the suite over a version and return score, dimensions and findings."""
    runtime_app = RuntimeApp.objects.select_related("app").get(pk=version.package.app_id)
    case = Case(version=version, runtime_app=runtime_app, run_id=new_id("run"))
    findings = [finding for batch in suite.run_suite(case) for finding in batch]
    return (*suite.score(findings), findings)


def failed_checks(findings: list[dict[str, Any]]) -> set[str]:
    return {item["check"] for item in findings if item["state"] == "fail"}


@pytest.fixture
def provider_of(fake_provider: FakeProvider, maker: Callable[..., Maker]) -> Maker:
    """A provider whose runtime app is the fake one, with the documents' capabilities that it serves."""
    acme = maker(fake_provider.url)
    acme.capabilities = [documents.STATE, documents.ACTION, documents.HISTORY]
    return acme


def test_every_dimension_has_at_least_six_checks_with_a_title() -> None:
    for dimension in DIMENSION_WEIGHTS:
        assert len([check for check in CHECKS.values() if check.dimension == dimension]) >= 6
    assert sum(DIMENSION_WEIGHTS.values()) == 100
    assert all(check.title.endswith(".") for check in CHECKS.values())


def test_bodies_of_the_documents_on_a_conforming_provider_score_80(provider_of: Maker) -> None:
    provider_of.capabilities = documents.TEMPLATES
    version = provider_of.version(risk_tier="action_capable", category="", keywords=[], support_url="")
    overall, dimensions, findings = run(version)
    assert suite.has_passed(overall, findings), (overall, dimensions, failed_checks(findings))
    assert [dimensions[name]["score"] for name in ("contract", "reliability", "performance", "security")] == [100] * 4


@pytest.mark.parametrize("body", documents.TEMPLATES, ids=lambda body: str(body["mode"]))
def test_each_body_of_the_documents_alone_scores_80(provider_of: Maker, body: dict[str, Any]) -> None:
    provider_of.capabilities = [body]
    version = provider_of.version(risk_tier="action_capable", category="", keywords=[], support_url="")
    overall, dimensions, findings = run(version)
    assert suite.has_passed(overall, findings), (overall, dimensions, failed_checks(findings))


@pytest.mark.parametrize(
    ("switches", "seen"),
    [
        ({"wrong_schema": True}, {"answers_match_schema"}),
        ({"malformed_json": True}, {"any_capability_answers", "answers_with_status", "answers_match_schema"}),
        ({"status_code": 500}, {"any_capability_answers", "repeated_calls_succeed", "concurrent_calls_succeed"}),
        ({"accept_bad_signatures": True}, {"bad_signature_refused"}),
        ({"accept_stale_timestamps": True}, {"stale_call_refused"}),
        ({"accept_unknown_capabilities": True}, {"unknown_capability_refused"}),
        ({"accept_bad_params": True}, {"bad_params_refused"}),
        ({"act_twice": True}, {"duplicate_action_acts_once"}),
        ({"echo_secrets": True}, {"secrets_not_echoed"}),
        ({"unsigned_answers": True}, {"answers_signed"}),
        ({"unhealthy": True}, {"health_endpoint_conforms"}),
        ({"latency_ms": 700}, {"median_latency"}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_fault_of_a_provider_is_seen(
    provider_of: Maker, fake_provider: FakeProvider, switches: dict[str, Any], seen: set[str]
) -> None:
    clean = failed_checks(run(provider_of.version(risk_tier="action_capable"))[2])
    for name, value in switches.items():
        setattr(fake_provider, name, value)
    overall, _, findings = run(provider_of.version(risk_tier="action_capable"))
    assert seen <= failed_checks(findings) - clean
    assert not suite.has_error(findings)
    assert overall is not None


def test_field_that_users_see_may_stand_in_an_answer_and_a_secret_one_may_not(
    provider_of: Maker, fake_provider: FakeProvider
) -> None:
    version = provider_of.version()
    runtime_app = RuntimeApp.objects.get(pk=version.package.app_id)
    types = {"workspace": "text", "api_token": "secret"}
    fields = [{"name": name, "label": name, "type": kind, "required": True} for name, kind in types.items()]
    values = {name: f"{name}-of-acme-labs" for name in types}
    put_auth_profile(
        runtime_app,
        actor="test",
        profile={"strategy": "credential", "credential": {"fields": fields}},
        given_secrets={"test_connection": {"fields": values}},
    )
    for name, is_echo in (("workspace", False), ("api_token", True)):
        data = {"location": values[name], "temperature_c": 1, "condition": "sunny"}
        fake_provider.answers["current_weather"] = {"data": data}
        assert ("secrets_not_echoed" in failed_checks(run(version)[2])) is is_echo


def test_secret_in_an_error_is_not_kept(provider_of: Maker, fake_provider: FakeProvider) -> None:
    version = provider_of.version()
    runtime_app = RuntimeApp.objects.select_related("app").get(pk=version.package.app_id)
    set_named_secret(runtime_app, "API_TOKEN", Secret(CANARY), actor="test")
    refusal = {"status": "error", "error": {"code": CANARY, "message": CANARY}}
    fake_provider.answers |= dict.fromkeys((body["name"] for body in provider_of.capabilities), refusal)
    findings = json.dumps(run(version)[2])
    assert "The provider answered the error [redacted]." in findings
    assert CANARY not in findings


@pytest.mark.parametrize("check", ["secrets_not_echoed", "any_capability_answers"])
def test_blocking_finding_fails_the_run_whatever_the_score(check: str) -> None:
    finding = {"check": check, "blocking": CHECKS[check].is_blocking, "state": "fail"}
    assert not suite.has_passed(99.0, [finding])


def test_schema_that_takes_anything_blocks(provider_of: Maker) -> None:
    provider_of.capabilities = [{**documents.STATE, "schema": {"description": "Whatever comes"}}]
    overall, _, findings = run(provider_of.version())
    blocking = [item["check"] for item in findings if item["blocking"] and item["state"] == "fail"]
    assert blocking == ["answer_is_constrained"]
    assert not suite.has_passed(overall, findings)


def test_provider_that_is_down_fails_and_is_no_error_of_the_platform(
    provider_of: Maker, fake_provider: FakeProvider
) -> None:
    fake_provider.stop()
    overall, dimensions, findings = run(provider_of.version(risk_tier="action_capable"))
    assert not suite.has_error(findings)
    assert not suite.has_passed(overall, findings)
    assert dimensions["performance"]["score"] == 0


def test_provider_that_was_mended_passes_at_once(provider_of: Maker, fake_provider: FakeProvider) -> None:
    version = provider_of.version(risk_tier="action_capable")
    fake_provider.status_code = 503
    assert run(version)[1]["contract"]["score"] < 50
    fake_provider.status_code = None
    assert run(version)[1]["contract"]["score"] == 100


def test_live_calls_say_that_they_are_a_test(provider_of: Maker, fake_provider: FakeProvider) -> None:
    run(provider_of.version(risk_tier="action_capable"))
    calls = fake_provider.requests_to("execute")
    assert {call.headers.get("x-aiffinity-environment") for call in calls} == {"sandbox"}
    weather = [call for call in calls if "/current_weather/" in call.path and call.is_verified]
    assert len(weather) >= 20


def test_fault_of_the_platform_is_an_error_and_gives_no_score(
    provider_of: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(case: Case) -> Any:
        raise RuntimeError("The database is away.")

    broken = CHECKS["tier_fits_sensitivity"]
    monkeypatch.setitem(CHECKS, broken.name, type(broken)(**{**vars(broken), "for_version": break_down}))
    findings = run(provider_of.version(risk_tier="action_capable"))[2]
    assert [item["check"] for item in findings if item["state"] == "error"] == ["tier_fits_sensitivity"]


def test_capability_that_fails_leaves_the_others_their_score(provider_of: Maker, fake_provider: FakeProvider) -> None:
    fake_provider.answers["recent_transactions"] = lambda _: Reply(500, b"{}")
    findings = run(provider_of.version(risk_tier="action_capable"))[2]
    live = [item for item in findings if item["dimension"] in ("contract", "reliability", "performance")]
    assert {item["capability"] for item in live if item["state"] == "fail"} == {"recent_transactions"}
