"""Webhook profiles over HTTP."""

import copy
from datetime import UTC, datetime

import pytest

from runtime.models import WebhookEndpoint
from runtime.signing_secrets import live_signing_secrets, signing_secret
from tests.runtime.conftest import error_of
from tests.runtime.documents import WEBHOOK_PROFILE

pytestmark = pytest.mark.django_db


def changed(**changes):
    """Return the documents' body with changes, `section__field` for those of a section."""
    body = copy.deepcopy(WEBHOOK_PROFILE)
    for name, value in changes.items():
        section, _, field = name.rpartition("__")
        (body[section] if section else body)[field] = value
    return body


@pytest.mark.parametrize("path", ["/webhooks", "/webhook-profile"])
def test_the_documents_body_is_taken_on_both_paths_and_its_secret_never_shown(register, path):
    registered = register(webhook_url="")
    response = registered("PUT", path, WEBHOOK_PROFILE)
    assert response.status_code == 201
    answer = response.json()["data"]
    expected = changed()
    del expected["signature"]["secret"]
    assert {name: answer[name] for name in expected} == expected
    assert (answer["enabled"], answer["app_id"]) == (True, registered.app_id)
    assert registered("GET", "/webhooks").json()["data"] == answer
    assert registered("GET", "/webhook-profile").json()["data"] == answer
    whole = registered("GET")
    assert whole.json()["data"]["webhook_profile"] == answer
    assert whole.json()["data"]["webhook_url"] == WEBHOOK_PROFILE["url"]
    for text in (response, whole):
        assert "whsec_your-signing-secret" not in text.content.decode()
    assert signing_secret(registered.runtime_app).reveal() == "whsec_your-signing-secret"
    assert registered("PUT", path, WEBHOOK_PROFILE).status_code == 200


def test_camel_case_is_taken(registered):
    body = {
        "url": "https://acmeweather.com/hooks",
        "events": ["*"],
        "signature": {"algorithm": "hmac-sha256"},
        "timeoutMs": 3000,
        "retryPolicy": {"maxRetries": 3, "initialDelayMs": 200, "maxDelayMs": 900, "maxElapsedHours": 2},
    }
    answer = registered("PUT", "/webhooks", body).json()["data"]
    assert answer["timeout_ms"] == 3000
    assert answer["retry_policy"]["max_delay_ms"] == 900
    assert answer["signature"]["header"] == "X-Aiffinity-Signature"


def test_without_a_secret_the_signing_secret_stays(registered):
    body = changed()
    del body["signature"]["secret"]
    assert registered("PUT", "/webhooks", body).status_code == 200
    assert signing_secret(registered.runtime_app).reveal() == registered.answer["signing_secret"]
    registered("PUT", "/webhooks", changed())
    live = [secret.reveal() for secret in live_signing_secrets(registered.runtime_app)]
    assert live == ["whsec_your-signing-secret", registered.answer["signing_secret"]]


def test_only_url_and_events_are_needed(registered):
    answer = registered("PUT", "/webhooks", {"url": "https://a.acmeweather.com/h", "events": ["package.*"]})
    assert answer.status_code == 200
    assert answer.json()["data"]["timeout_ms"] == 5000
    assert answer.json()["data"]["retry_policy"]["max_retries"] == 18


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (changed(url="https://192.168.1.1/hook"), "url"),
        (changed(url="http://acmeweather.com/hook"), "url"),
        (changed(url=""), "url"),
        (changed(events=[]), "events"),
        (changed(events="*"), "events"),
        (changed(events=["package.submitted", "package.publish"]), "events[1]"),
        (changed(events=["nothing.*"]), "events[0]"),
        (changed(events=[7]), "events[0]"),
        (changed(signature__algorithm="hmac-md5"), "signature.algorithm"),
        (changed(signature={}), "signature.algorithm"),
        (changed(signature__header="Host"), "signature.header"),
        (changed(signature__header="webhook-id"), "signature.header"),
        (changed(signature__header="X Sig"), "signature.header"),
        (changed(signature__secret="short"), "signature.secret"),
        (changed(timeout_ms=30_001), "timeout_ms"),
        (changed(timeout_ms=0), "timeout_ms"),
        (changed(timeout_ms="5000"), "timeout_ms"),
        (changed(retry_policy__max_retries=31), "retry_policy.max_retries"),
        (changed(retry_policy__max_retries=-1), "retry_policy.max_retries"),
        (changed(retry_policy__backoff="linear"), "retry_policy.backoff"),
        (changed(retry_policy__initial_delay_ms=99), "retry_policy.initial_delay_ms"),
        (changed(retry_policy__initial_delay_ms=60_001), "retry_policy.initial_delay_ms"),
        (changed(retry_policy__max_delay_ms=14_400_001), "retry_policy.max_delay_ms"),
        (changed(retry_policy__max_delay_ms=500), "retry_policy.max_delay_ms"),
        (changed(retry_policy__max_elapsed_hours=0), "retry_policy.max_elapsed_hours"),
        (changed(retry_policy__max_elapsed_hours=73), "retry_policy.max_elapsed_hours"),
        (changed(rate_limit_per_second=0), "rate_limit_per_second"),
        (changed(rate_limit_per_second=1001), "rate_limit_per_second"),
        (changed(retry_policy__jitter=True), "retry_policy.jitter"),
        (changed(active=True), "active"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_changes(registered, settings, body, field):
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = [], False
    before = registered("GET", "/webhooks").json()["data"]
    response = registered("PUT", "/webhooks", body)
    assert (response.status_code, error_of(response)["code"]) == (400, "VALIDATION_ERROR")
    assert error_of(response)["details"][0]["field"] == field
    assert registered("GET", "/webhooks").json()["data"] == before
    assert signing_secret(registered.runtime_app).reveal() == registered.answer["signing_secret"]


@pytest.mark.parametrize(
    ("field", "least", "most"),
    [
        ("retry_policy__max_retries", 0, 30),
        ("retry_policy__initial_delay_ms", 100, 60_000),
        ("retry_policy__max_delay_ms", 100, 14_400_000),
        ("retry_policy__max_elapsed_hours", 1, 72),
        ("timeout_ms", 100, 30_000),
        ("rate_limit_per_second", 1, 1000),
    ],
)
def test_a_policy_out_of_range_names_the_field_and_its_range(registered, field, least, most):
    first_delay = {"retry_policy__initial_delay_ms": 100} if field.endswith("max_delay_ms") else {}
    for value in (least, most):
        longest = {"retry_policy__max_delay_ms": 14_400_000} if field.endswith("initial_delay_ms") else {}
        assert registered("PUT", "/webhooks", changed(**first_delay, **longest, **{field: value})).status_code == 200
    for value in (least - 1, most + 1, -(2**60), 2**60, "5", None, True, 1.5):
        [detail] = error_of(registered("PUT", "/webhooks", changed(**first_delay, **{field: value})))["details"]
        assert detail["field"] == field.replace("__", ".")
        assert f"Use a whole number from {least} to {most}." in detail["message"], value


@pytest.mark.parametrize(
    ("field", "word"), [("retry_policy__backoff", "exponential"), ("signature__algorithm", "hmac-sha256")]
)
def test_a_word_of_the_profile_that_is_not_known_names_the_one_that_is(registered, field, word):
    for value in ("linear", "", word.upper(), 7):
        error = error_of(registered("PUT", "/webhooks", changed(**{field: value})))
        assert error["message"] == f"{field.replace('__', '.')}: Use '{word}', the only one."


def test_the_longest_delay_is_no_shorter_than_the_first(registered):
    body = changed(retry_policy__initial_delay_ms=5000, retry_policy__max_delay_ms=4999)
    [detail] = error_of(registered("PUT", "/webhooks", body))["details"]
    assert (detail["field"], detail["message"]) == (
        "retry_policy.max_delay_ms",
        "This is shorter than initial_delay_ms. Use 5000 to 14400000.",
    )


SMUGGLING = [
    *("Host", "host", "HOST", "Content-Length", "Transfer-Encoding", "Content-Type", "Content-Encoding", "Connection"),
    *("Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Proxy-Authenticate", "TE", "Trailer", "Upgrade"),
    *(
        "Expect",
        "Cookie",
        "Via",
        "X-Http-Method-Override",
        "X-Original-URL",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Real-IP",
    ),
    *("webhook-id", "Webhook-Timestamp", "webhook-signature", "X-Aiffinity-Event", "x-aiffinity-timestamp"),
    *("X-Aiffinity-Delivery", "User-Agent", "Accept", "Accept-Encoding", "traceparent", "Idempotency-Key"),
    *("", " ", "X Sig", "X-Sig:", "X-Sig: a", ":path", "X-Sig\r\nHost: evil", "X-Sig\r\n\r\nGET / HTTP/1.1"),
    *("X-\nSig", "X-Sig\x00", "X-\tSig", "X-S\u00edg", "X-\u212aey", "X-\u2028Sig", "X-\uff33ig", "a" * 81),
    *("(X)", "X/Sig", "X;Sig", 'X"Sig', "X[Sig]", "X{Sig}", "X@Sig", "X=Sig", "X,Sig"),
]


@pytest.mark.parametrize("header", SMUGGLING)
def test_a_header_name_that_could_smuggle_is_refused(registered, header):
    before = registered("GET", "/webhooks").json()["data"]
    response = registered("PUT", "/webhooks", changed(signature__header=header))
    assert response.status_code == 400
    # A NUL is refused before any field is looked at.
    assert [detail["field"] for detail in error_of(response)["details"]] in (["signature.header"], [])
    api_key = {"strategy": "api_key", "api_key": {"header_name": header}}
    assert registered("PUT", "/auth-profile", api_key).status_code == 400
    assert registered("GET", "/webhooks").json()["data"] == before
    assert registered("GET", "/auth-profile").status_code == 404


@pytest.mark.parametrize("header", ["Authorization", "X_Sig", "date", "%58-Sig", "a" * 65])
def test_a_signature_has_a_header_of_its_own(registered, header):
    response = registered("PUT", "/webhooks", changed(signature__header=header))
    assert (response.status_code, error_of(response)["details"][0]["field"]) == (400, "signature.header")


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("X-Signature-256", "X-Signature-256"),
        ("x-acme-signature", "x-acme-signature"),
        ("X-Aiffinity-Signature", "X-Aiffinity-Signature"),
        (" Acme\n", "Acme"),
    ],
)
def test_a_plain_header_name_is_taken(registered, header, kept):
    answer = registered("PUT", "/webhooks", changed(signature__header=header)).json()["data"]
    assert answer["signature"]["header"] == kept


def test_an_unknown_event_comes_with_a_hint(registered):
    error = error_of(registered("PUT", "/webhooks", changed(events=["package.publish"])))
    assert error["message"] == "events[0]: Unknown event type. Did you mean 'package.published'?"


def test_putting_the_profile_enables_a_disabled_endpoint(registered):
    WebhookEndpoint.objects.update(disabled_at=datetime(2026, 4, 4, tzinfo=UTC), disabled_reason="gone")
    shown = registered("GET", "/webhooks").json()["data"]
    assert (shown["enabled"], shown["disabled_reason"]) == (False, "gone")
    after = registered("PUT", "/webhooks", WEBHOOK_PROFILE).json()["data"]
    assert (after["enabled"], after["disabled_at"], after["disabled_reason"]) == (True, None, None)


def test_without_a_profile_there_is_none(register):
    assert register(webhook_url="")("GET", "/webhook-profile").status_code == 404
