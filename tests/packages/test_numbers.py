"""Version numbers."""

import pytest

from packages.numbers import Number, is_major_step, next_number, parse_number


@pytest.mark.parametrize("text", ["1", "1.0", "1.0.0.0", "01.0.0", "1.0.0-beta", "1.0.0\n", "v1.0.0", "1.0.x", ""])
def test_other_forms_are_no_numbers(text: str) -> None:
    assert parse_number(text) is None


def test_next_number_follows_the_highest_taken() -> None:
    assert parse_number("1.10.0") == Number(1, 10, 0)
    assert next_number([], "minor") == "1.0.0"
    taken = ["1.9.0", "1.10.3", "1.2.0"]
    assert [next_number(taken, bump) for bump in ("major", "minor", "patch")] == ["2.0.0", "1.11.0", "1.10.4"]


def test_major_step() -> None:
    assert is_major_step("1.9.9", "2.0.0")
    assert not is_major_step("1.0.0", "1.9.0")
