"""Numbers, moments, units and names as people read them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packages.surface.fields import field_of, fields_of
from packages.surface.formats import moment_text, number_text, sentence_of, short_number_text, shortened
from packages.surface.places import Place


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234567, "1,234,567"),
        (-1234.5, "\N{MINUS SIGN}1,234.5"),
        (21.50, "21.5"),
        (21.0, "21"),
        (0.1 + 0.2, "0.3"),
        (100, "100"),
        (0.0004, "4.0e\N{MINUS SIGN}04"),
        (10**18, "1.00e18"),
        (10**400, "1.00e400"),
        (float("inf"), "\N{EN DASH}"),
        (float("nan"), "\N{EN DASH}"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(950, "950"), (1200, "1.2k"), (3_000_000, "3M"), (-2.5e9, "\N{MINUS SIGN}2.5B"), (0.25, "0.25")]
)
def test_number_on_an_axis(value: float, text: str) -> None:
    assert short_number_text(value) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-01-15", "15 Jan 2026"),
        ("2026-01-15T09:30:00Z", "15 Jan 2026, 09:30"),
        ("2026-01-15T09:30:00.123+02:00", "15 Jan 2026, 09:30"),
        ("09:30:00Z", "09:30"),
        ("PT1H30M", "1 h 30 min"),
        ("P2D", "2 d"),
        ("2026-02-30", None),
        ("25:00", None),
        ("PT", None),
        ("P", None),
        ("tomorrow", None),
        ("2026-01-15\n", None),
    ],
)
def test_moment(text: str, shown: str | None) -> None:
    assert moment_text(text) == shown


@pytest.mark.parametrize(
    ("name", "value", "label", "shown"),
    [
        ("temperature_c", 21.5, "Temperature", "21.5 °C"),
        ("temperatureC", -3, "Temperature", "\N{MINUS SIGN}3 °C"),
        ("humidity_pct", 64, "Humidity", "64%"),
        ("wind_speed_kmh", 12.25, "Wind speed", "12.25 km/h"),
        ("price_usd", 1234.5, "Price", "$1,234.50"),
        ("amount_eur", -5.1, "Amount", "\N{MINUS SIGN}€5.10"),
        ("fee_nok", 12, "Fee", "12 NOK"),
        ("amount", 9.9, "Amount", "9.90"),
        ("steps", 12034, "Steps", "12,034"),
        ("m", 5, "M", "5"),
        ("vitamin_c", "yes", "Vitamin c", "yes"),
        ("is_open", True, "Is open", "Yes"),
        ("closed", None, "Closed", "\N{EN DASH}"),
        ("tags", ["a", "b", "c", "d"], "Tags", "a, b, c +1 more"),
        ("rows", [{}, {}], "Rows", "2 items"),
        ("address", {"street": "Main St 1", "city": "Oslo"}, "Address", "Main St 1, Oslo"),
    ],
)
def test_field(name: str, value: Any, label: str, shown: str) -> None:
    field = field_of(name, Place.of({}), value)
    assert (field.label, field.shown) == (label, shown)


def test_choices_are_words_and_titles_label() -> None:
    place = Place.of({"title": "Sky", "enum": ["partly_cloudy"]})
    field = field_of("condition", place, "partly_cloudy")
    assert (field.label, field.shown) == ("Sky", "Partly cloudy")


def test_currency_beside_an_amount_is_its_unit() -> None:
    shown = [field.shown for field in fields_of(Place.of({}), {"total": 12.5, "count": 3, "currency": "EUR"})]
    assert shown == ["€12.50", "3", "EUR"]


def test_masked_currency_is_not_told() -> None:
    place = Place.of({"properties": {"currency": {"x-sensitivity": "financial"}}})
    assert [field.shown for field in fields_of(place, {"total": 12.5, "currency": "EUR"})][1] == "12.50"


def test_long_texts_end_with_an_ellipsis() -> None:
    assert shortened("word " * 100, 20) == "word word word word…"
    assert shortened("word") == "word"


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x85", "\u202e", "\u2066", "\u200f", "\ud800", "\uffff"])
def test_characters_that_nobody_sees_become_visible(character: str) -> None:
    assert shortened(f"a{character}b") == "a\ufffdb"


def test_lines_join() -> None:
    assert shortened("one\r\n\ttwo\n") == "one two"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("current_weather", "Current weather"),
        ("userId", "User ID"),
        ("IBAN", "IBAN"),
        ("event.created", "Event created"),
    ],
)
def test_names_become_sentences(name: str, sentence: str) -> None:
    assert sentence_of(name) == sentence


@given(st.one_of(st.integers(), st.floats()))
def test_every_number_has_a_short_text(value: float) -> None:
    assert 0 < len(number_text(value)) < 30
