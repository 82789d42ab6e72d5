"""Each fault switch of the fake provider moves the dimensions that it concerns, and no other one."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from aiffinity.lib.ids import new_id
from packages.conformance import suite
from packages.conformance.case import Case
from packages.conformance.registry import DIMENSION_WEIGHTS
from runtime.models import RuntimeApp
from tests.fakes import FakeProvider, Reply
from tests.fakes.switches import Switches
from tests.packages.conftest import Maker
from tests.runtime import documents

pytestmark = pytest.mark.django_db(transaction=True)

TIMEOUT_MS = 400
NEVER_ANSWERED = {"hang", "slow_body"}
LIVE = {"contract", "reliability", "performance", "security"}
OTHER_SECRET = "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcjEyMzQ1Ng=="

# Where no call gets an answer, nothing live can be judged: neither latency nor whether a forged call is refused.
ROWS: list[tuple[dict[str, Any], set[str]]] = [
    ({"latency_ms": 600}, {"performance"}),
    ({"faulty_routes": {"health"}, "latency_ms": 1200}, {"performance"}),
    ({"wrong_schema": True}, {"contract"}),
    ({"answers": {"current_weather": {"data": {"wrong": 1}}}}, {"contract"}),
    ({"accept_unknown_capabilities": True}, {"contract"}),
    ({"accept_bad_params": True}, {"contract"}),
    ({"act_twice": True}, {"reliability"}),
    ({"unhealthy": True}, {"reliability"}),
    ({"health_status": 503}, {"reliability"}),
    ({"capability_health": {"current_weather": "unhealthy"}}, {"reliability"}),
    ({"capability_health": {"current_weather": "Down"}}, {"reliability"}),
    ({"capability_health": {"current_weather": "UP"}}, set()),
    ({"faulty_routes": {"health"}, "malformed_json": True}, {"reliability"}),
    ({"accept_bad_signatures": True}, {"security"}),
    ({"accept_stale_timestamps": True}, {"security"}),
    ({"echo_secrets": True}, {"security"}),
    ({"unsigned_answers": True}, {"security"}),
    # Refusals come quickly, so latency is as it was.
    ({"signing_secret": OTHER_SECRET}, LIVE - {"performance"}),
    ({"status_code": 429}, LIVE - {"performance"}),
    # One capability of three fails, so the others tell good calls from forged ones.
    ({"answers": {"current_weather": lambda _: Reply(500, b"{}")}}, LIVE - {"security"}),
    # Large answers that are quick and always the same: nothing is refused any more.
    ({"oversize": True, "oversize_bytes": 400 * 1024}, LIVE - {"reliability"}),
    ({"oversize": True}, LIVE),
    ({"status_code": 500}, LIVE),
    ({"malformed_json": True}, LIVE),
    ({"slow_body": True, "slow_body_interval_ms": 50}, LIVE),
    ({"hang": True}, LIVE),
    ({"drop_connection": True}, LIVE),
    ({"redirect_to": "https://example.com/"}, LIVE),
    ({"ttl": -5}, LIVE),
    # No fault: an answer that must not be kept, and a header that nobody asked for.
    ({"ttl": 0}, set()),
    ({"headers": {"X-Odd": "1"}}, set()),
    # A validation run delivers no webhooks.
    ({"webhook_script": [500]}, set()),
    ({"signature_header": "X-Else"}, set()),
    ({"secrets_by_path": {"/webhooks/x": OTHER_SECRET}}, set()),
]


def scores(acme: Maker) -> dict[str, float]:
    """Run the suite over a new version and return each dimension's score."""
    version = acme.version(risk_tier="action_capable")
    runtime_app = RuntimeApp.objects.select_related("app").get(pk=version.package.app_id)
    case = Case(version=version, runtime_app=runtime_app, run_id=new_id("run"))
    findings = [finding for batch in suite.run_suite(case) for finding in batch]
    assert not suite.has_error(findings)
    return {name: dimension["score"] for name, dimension in suite.score(findings)[1].items()}


@pytest.fixture
def acme(fake_provider: FakeProvider, maker: Callable[..., Maker], settings: Any) -> Maker:
    """A provider whose runtime app is the fake one and serves three of the documents' capabilities."""
    acme = maker(fake_provider.url)
    acme.capabilities = [documents.STATE, documents.ACTION, documents.HISTORY]
    return acme


def test_every_switch_has_its_row() -> None:
    assert {field.name for field in fields(Switches)} == {name for switches, _ in ROWS for name in switches}


@pytest.mark.parametrize(
    ("switches", "concerned"), ROWS, ids=lambda value: "-".join(value) if isinstance(value, dict) else ""
)
def test_fault_moves_the_dimensions_that_it_concerns_alone(
    acme: Maker, fake_provider: FakeProvider, settings: Any, switches: dict[str, Any], concerned: set[str]
) -> None:
    before = scores(acme)
    # What never answers costs no more than it must; all else has the time that it has in production.
    settings.EXECUTE_TIMEOUT_MS = TIMEOUT_MS if switches.keys() & NEVER_ANSWERED else settings.EXECUTE_TIMEOUT_MS
    for name, value in switches.items():
        setattr(fake_provider, name, value)
    after = scores(acme)
    assert {name for name in DIMENSION_WEIGHTS if after[name] != before[name]} == concerned
    assert all(after[name] < before[name] for name in concerned)


def test_faults_of_a_descriptor_move_their_own_dimension(acme: Maker) -> None:
    before, good = scores(acme), acme.capabilities[0]
    schema = {**good["schema"], "properties": {**good["schema"]["properties"], "feels_like": {}}}
    for dimension, fault in (("guidance", {"description": "Weather"}), ("schema", {"schema": schema})):
        acme.capabilities[0] = {**good, **fault}
        after = scores(acme)
        assert [name for name in DIMENSION_WEIGHTS if after[name] != before[name]] == [dimension]
        assert after[dimension] < before[dimension]
