"""A provider that hands on a secret of the call is refused, wherever the secret stands."""

import pytest

from aiffinity.lib.crypto import Secret
from aiffinity.lib.errors import UpstreamInvalidResponse
from aiffinity.lib.outbound import CircuitBreaker
from aiffinity.lib.redaction import start_remembering
from runtime import provider_client
from runtime.named_secrets import set_named_secret
from runtime.provider_client import ExecuteCall, execute
from runtime.signing_secrets import set_signing_secret
from tests.fakes.switches import SIGNING_SECRET

pytestmark = pytest.mark.django_db

CANARY = 'canary-"quoted"-ø-value'


@pytest.fixture(autouse=True)
def _fresh_breaker(monkeypatch):
    monkeypatch.setattr(provider_client, "breaker", CircuitBreaker())


@pytest.fixture
def call(register, fake_provider):
    """Return a function that calls the provider with a secret of each kind."""
    runtime_app = register(runtime_url=fake_provider.runtime_url).runtime_app
    set_signing_secret(runtime_app, actor="test", value=SIGNING_SECRET)
    set_named_secret(runtime_app, "API_TOKEN", Secret(CANARY), actor="test")
    set_named_secret(runtime_app, "UNIT", Secret("metric"), actor="test")

    def make(answer):
        fake_provider.answers["echo"] = answer
        return execute(
            ExecuteCall(
                runtime_app=runtime_app,
                capability="echo",
                mode="state",
                params={},
                user_id="usr_abc",
                access_token=Secret("users-access-token"),
                api_key=Secret("users-api-key"),
                credentials={"password": Secret("users-password")},
            )
        )

    return make


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({"data": {"a": [{"b": CANARY}]}}, "data"),
        ({"data": {"a": f"before {CANARY} after"}}, "data"),
        ({"data": {CANARY: 1}}, "data"),
        ({"data": "users-access-token"}, "data"),
        ({"data": ["Bearer users-access-token"]}, "data"),
        ({"data": {"url": "https://x.test/?key=users-api-key"}}, "data"),
        ({"data": {"a": "users-password"}}, "data"),
        ({"data": {}, "nextCursor": "c:users-api-key"}, "nextCursor"),
        ({"status": "pending", "data": {"token": CANARY}}, "data"),
    ],
)
def test_a_secret_in_an_answer_is_a_breach_of_contract(call, answer, field):
    with pytest.raises(UpstreamInvalidResponse) as refused:
        call(answer)
    assert [(detail.field, detail.code) for detail in refused.value.details] == [(field, "secret_echoed")]
    told = f"{refused.value.message}{refused.value.details}"
    assert not any(secret in told for secret in (CANARY, "users-access-token", "users-api-key", "users-password"))


def test_what_is_handed_on_to_nobody_may_hold_one(call):
    assert call({"data": {"a": 1}, "metadata": {"debug": CANARY}}).data == {"a": 1}


def test_short_values_and_other_answers_pass(call):
    assert call({"data": {"unit": "metric", "keys": ["API_TOKEN"]}}).data == {"unit": "metric", "keys": ["API_TOKEN"]}
    assert call({"data": None}).data is None


def test_an_error_that_names_a_secret_is_redacted(call):
    start_remembering()
    error = {"code": f"bad_{CANARY}", "message": f"The key {CANARY} is wrong.", "retryable": False}
    answer = call({"status": "error", "error": error})
    assert (answer.error_code, answer.error_message) == ("bad_[redacted]", "The key [redacted] is wrong.")
