"""The JSON gate: hostile JSON meets one of two errors, and nothing else."""

import contextlib
import io
import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aiffinity.lib.errors import InvalidJson, PayloadTooLarge
from aiffinity.lib.json_gate import MAX_BODY_BYTES, MAX_DEPTH, parse_json, read_body

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_everything_that_json_can_say_passes_unchanged(value):
    assert parse_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:\\u0d8000eE+-.19 ntf', max_size=60).map(str.encode))
@example(b"")
@example(b"\xef\xbb\xbf{}")
@example(b"-")
@example(b"1e999")
@example(b"-Infinity")
def test_any_bytes_are_parsed_or_refused_as_invalid_json(raw):
    with contextlib.suppress(InvalidJson):
        parse_json(raw)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"a": 1, "a": 2}', "The key 'a' stands twice in one object."),
        (b"[NaN]", "NaN is not JSON."),
        (b"[Infinity]", "Infinity is not JSON."),
        (b"[1e400]", "A number in the body is out of range."),
        (b"[9223372036854775808]", "An integer in the body is out of the range of 64 bits."),
        (b"[" + b"9" * 5000 + b"]", "An integer in the body is out of the range of 64 bits."),
        (b'["\\u0000"]', "The body has a NUL character."),
        (b'{"\\u0000": 1}', "The body has a NUL character."),
        (b'["\\ud800"]', "The body has a lone surrogate."),
        (b'{"a": {"\\udfff": 1}}', "The body has a lone surrogate."),
        (b"\xff", "The body is not UTF-8."),
        (b"", "The body is not JSON: Expecting value at line 1, column 1."),
        (b"{} {}", "The body is not JSON: Extra data at line 1, column 4."),
        (b"'a'", "The body is not JSON: Expecting value at line 1, column 1."),
    ],
)
def test_what_is_refused_is_named(raw, message):
    with pytest.raises(InvalidJson) as caught:
        parse_json(raw)
    assert caught.value.message == message


def test_a_surrogate_pair_and_the_extremes_of_64_bits_pass():
    raw = b'["\\ud83d\\ude00", 9223372036854775807, -9223372036854775808]'
    assert parse_json(raw) == ["\U0001f600", 2**63 - 1, -(2**63)]


def test_64_levels_pass_and_65_do_not():
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(InvalidJson, match="deeper than 64 levels"):
        parse_json(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "inner", ['"' + "[" * 200 + '"', '"\\"' + "{" * 200 + '"', '"\\\\"', '"\\\\\\"' + "[" * 200 + '"']
)
def test_brackets_inside_of_strings_are_no_levels(inner):
    assert parse_json(f"[{inner}]".encode()) == [json.loads(inner)]


@pytest.mark.parametrize(
    "raw",
    [
        b'["\\\\", ' + b"[" * 100_000,
        b'{"a": ' * 100_000,
        b'"' + b"[" * 500_000,
        b'"' + b'\\"' * 500_000,
        b"]" * 1000 + b"[" * 500_000,
        b"[" * 1_000_000,
        b"[" + b"1" * 1_000_000 + b".5]",
        b'["' + b"\\u00" * 200_000,
    ],
)
def test_a_megabyte_of_malice_is_refused_quickly(raw):
    began_at = time.perf_counter()
    with pytest.raises(InvalidJson):
        parse_json(raw)
    assert time.perf_counter() - began_at < 2


def test_a_body_of_one_mebibyte_is_read_and_one_byte_more_is_refused():
    assert len(read_body(io.BytesIO(b" " * MAX_BODY_BYTES))) == MAX_BODY_BYTES
    with pytest.raises(PayloadTooLarge):
        read_body(io.BytesIO(b" " * (MAX_BODY_BYTES + 1)))
