"""Signatures that stock libraries and the documents' own verification code accept."""

import base64
import hashlib
import hmac
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from aiffinity.lib.crypto import Secret
from runtime.signatures import (
    sign_execute,
    sign_hex,
    standard_webhooks_headers,
    standard_webhooks_key,
    verify_hex,
)

KEY = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
OTHER_KEY = "whsec_" + base64.b64encode(b"fedcba9876543210fedcba9876543210").decode()
BODY = b'{"id":"evt_1"}'

secrets = st.text(min_size=1, max_size=80).map(Secret)
keys = st.binary(min_size=1, max_size=64).map(lambda raw: Secret("whsec_" + base64.b64encode(raw).decode()))
bodies = st.text(max_size=200).map(str.encode)


def test_hex_signature_is_keyed_with_the_whole_secret_as_given():
    expected = hmac.new(b"whsec_your-signing-secret", BODY, hashlib.sha256).hexdigest()
    assert sign_hex(Secret("whsec_your-signing-secret"), BODY) == expected


def test_execute_signature_covers_timestamp_and_body():
    expected = hmac.new(KEY.encode(), b"1712246400." + BODY, hashlib.sha256).hexdigest()
    assert sign_execute(Secret(KEY), 1712246400, BODY) == expected


@given(secret=secrets, body=bodies)
def test_hex_signatures_round_trip_in_every_spelling(secret: Secret, body: bytes):
    signature = sign_hex(secret, body)
    assert verify_hex([secret], signature, body)
    assert verify_hex([secret], f"sha256={signature}", body)
    assert verify_hex([secret], signature.upper(), body)


@given(secret=secrets, other=secrets, body=bodies, tail=st.binary(min_size=1, max_size=4))
def test_hex_signatures_of_another_secret_or_body_fail(secret: Secret, other: Secret, body: bytes, tail: bytes):
    assert not verify_hex([secret], sign_hex(secret, body), body + tail)
    if secret != other:
        assert not verify_hex([other], sign_hex(secret, body), body)
        assert verify_hex([other, secret], sign_hex(secret, body), body)


@pytest.mark.parametrize("signature", ["", "sha256=", "0" * 64, "é", "\x00", "\ud800", "a" * 10_000])
def test_nonsense_is_no_signature(signature: str):
    assert not verify_hex([Secret(KEY)], signature, BODY)


def test_nothing_verifies_without_a_secret():
    assert not verify_hex([], sign_hex(Secret(""), BODY), BODY)


@given(secret=keys, body=bodies)
def test_stock_library_verifies_the_standard_headers(secret: Secret, body: bytes):
    headers = dict(standard_webhooks_headers([secret], "evt_1", int(time.time()), body))
    assert set(headers) == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    Webhook(secret.reveal()).verify(body, headers, json_parse=False)


@given(body=bodies, tail=st.text(min_size=1, max_size=4))
def test_stock_library_refuses_a_changed_body(body: bytes, tail: str):
    headers = dict(standard_webhooks_headers([Secret(KEY)], "evt_1", int(time.time()), body))
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(body + tail.encode(), headers, json_parse=False)


def test_both_secrets_of_a_rotation_verify():
    headers = dict(standard_webhooks_headers([Secret(KEY), Secret(OTHER_KEY)], "evt_1", int(time.time()), BODY))
    assert len(headers["webhook-signature"].split(" ")) == 2
    for key in (KEY, OTHER_KEY):
        Webhook(key).verify(BODY, headers)


def test_secret_without_base64_has_no_standard_headers():
    assert standard_webhooks_key(Secret("whsec_your-signing-secret")) is None
    assert standard_webhooks_headers([Secret("whsec_your-signing-secret")], "evt_1", 1, BODY) == []


def test_rotation_from_a_secret_without_base64_signs_with_the_other_alone():
    both = [Secret("whsec_your-signing-secret"), Secret(KEY)]
    assert standard_webhooks_headers(both, "evt_1", 1, BODY) == standard_webhooks_headers(
        [Secret(KEY)], "evt_1", 1, BODY
    )


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_é", "whsec_a"])
def test_empty_or_broken_base64_is_no_key(secret: str):
    assert standard_webhooks_key(Secret(secret)) is None


def test_base64_without_padding_is_a_key():
    assert standard_webhooks_key(Secret("whsec_MTIz")) == b"123"
    assert standard_webhooks_key(Secret("whsec_MTIzNA")) == b"1234"
