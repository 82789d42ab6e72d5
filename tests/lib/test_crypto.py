"""Sealed secrets open with the right key in the right place, and nowhere else."""

import base64

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from aiffinity.lib.crypto import Secret, equal, hash_token, key_id_of, new_token, parse_keyring


def entry(key_id: str, fill: int = 1) -> str:
    return f"{key_id}:{base64.b64encode(bytes([fill]) * 32).decode()}"


KEYRING = parse_keyring([entry("k1")])


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text("ab/_1", max_size=20))
def test_a_sealed_text_opens_in_its_own_context(text, context):
    sealed = KEYRING.encrypt(Secret(text), context=context)
    assert KEYRING.decrypt(sealed, context=context).reveal() == text


def test_the_same_text_seals_differently_each_time():
    assert KEYRING.encrypt(Secret("x"), context="c") != KEYRING.encrypt(Secret("x"), context="c")


def test_another_context_does_not_open():
    sealed = KEYRING.encrypt(Secret("x"), context="acct_1/app_1/KEY/1")
    with pytest.raises(ValueError, match="doesn't open"):
        KEYRING.decrypt(sealed, context="acct_1/app_2/KEY/1")


def test_every_changed_character_is_found():
    sealed = KEYRING.encrypt(Secret("secret"), context="c")
    for index in range(len("v1.k1."), len(sealed) - 1, 7):
        changed = "A" if sealed[index] != "A" else "B"
        with pytest.raises(ValueError, match=r"doesn't open|not a sealed"):
            KEYRING.decrypt(sealed[:index] + changed + sealed[index + 1 :], context="c")


@given(st.text(max_size=80))
def test_what_was_never_sealed_is_refused_as_a_value_error(text):
    with pytest.raises(ValueError, match=r"sealed|open"):
        KEYRING.decrypt(text, context="c")


def test_after_a_rotation_old_rows_open_and_new_ones_use_the_new_key():
    old = KEYRING.encrypt(Secret("x"), context="c")
    rotated = parse_keyring([entry("k2", 2), entry("k1")])
    new = rotated.encrypt(Secret("y"), context="c")
    assert (key_id_of(old), key_id_of(new)) == ("k1", "k2")
    assert rotated.decrypt(old, context="c").reveal() == "x"
    with pytest.raises(ValueError, match="'k2', which is not configured"):
        KEYRING.decrypt(new, context="c")


def test_another_key_under_the_same_id_does_not_open():
    sealed = KEYRING.encrypt(Secret("x"), context="c")
    with pytest.raises(ValueError, match="doesn't open"):
        parse_keyring([entry("k1", 9)]).decrypt(sealed, context="c")


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [""],
        ["k1"],
        ["k1:"],
        ["k1:not base64!"],
        ["k1:ä"],
        ["k1:" + base64.b64encode(b"short").decode()],
        ["k.1:" + base64.b64encode(b"1" * 32).decode()],
        ["é:" + base64.b64encode(b"1" * 32).decode()],
        [entry("k1"), entry("k1", 2)],
    ],
)
def test_a_bad_keyring_is_refused(entries):
    with pytest.raises(ImproperlyConfigured, match="AIFFINITY_ENCRYPTION_KEYS"):
        parse_keyring(entries)


def test_a_secret_prints_nothing():
    secret = Secret("hunter2hunter2")
    assert f"{secret} {secret!r} {[secret]} {secret!s:>30}".count("hunter2") == 0
    assert secret == Secret("hunter2hunter2")
    assert secret != Secret("other")
    assert secret != "hunter2hunter2"


def test_tokens_are_long_and_hashed_the_same_way_each_time():
    first, second = new_token("rt_").reveal(), new_token("rt_").reveal()
    assert first != second
    assert first.startswith("rt_")
    assert len(first) == 46
    assert hash_token(first) == hash_token(first)
    assert len(hash_token(first)) == 64
    assert equal("ä", "ä")
    assert not equal("a", "b")
