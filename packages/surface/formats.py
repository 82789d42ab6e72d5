"""Texts, numbers and moments as people read them; what comes back is plain text that still wants escaping."""

import math
import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from django.utils.dateformat import format as format_date

MASK: Final = "•••"
NOTHING: Final = "\N{EN DASH}"
MAX_TEXT: Final = 80
MAX_LABEL: Final = 40

_UNSHOWN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff\ufffe\uffff]")
_WORD_BREAKS: Final = re.compile(r"[_\-.\s]+|(?<=[a-z0-9])(?=[A-Z])")
_MOMENT: Final = re.compile(r"\A\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)?)?\Z")
_TIME: Final = re.compile(r"\A\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)?\Z")
_DURATION: Final = re.compile(
    r"\AP(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})(?:\.\d{1,9})?S)?)?\Z"
)
_ACRONYMS: Final = frozenset({"api", "aqi", "eta", "iban", "id", "ip", "isbn", "pin", "sku", "url", "uv", "vat"})
_SCALES: Final = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_EDGE: Final = 1e150
_MOST_DIGITS: Final = 10**15


def shortened(text: str, most: int = MAX_TEXT) -> str:
    """Return a text on one line of at most `most` characters; characters that nobody sees become visible."""
    line = " ".join(_UNSHOWN.sub("\ufffd", re.sub(r"[\t\n\r]+", " ", text[: 4 * most])).split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def sentence_of(name: str) -> str:
    """Return the words of a field's or capability's name, such as `Current weather` for `current_weather`."""
    words = [word for word in _WORD_BREAKS.split(name[: 4 * MAX_LABEL]) if word]
    shown = [_word_of(word) for word in words]
    text = shortened(" ".join(shown), MAX_LABEL)
    return text[:1].upper() + text[1:]


def _word_of(word: str) -> str:
    is_acronym = word.lower() in _ACRONYMS or (word.isupper() and 1 < len(word) < 5)
    return word.upper() if is_acronym else word.lower()


def finite(value: Any) -> float | None:
    """Return a number that can be drawn, None for what is no number; what is too large ends at the edge."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if abs(value) > _EDGE:
        return _EDGE if value > 0 else -_EDGE
    return float(value)


def number_text(value: float) -> str:
    """Return a number with thousands apart and at most two decimals; very large and very small ones by powers."""
    if isinstance(value, float) and not math.isfinite(value):
        return NOTHING
    if abs(value) >= _MOST_DIGITS:
        return f"{Decimal(value):.2e}".replace("e+", "e")
    if isinstance(value, int):
        return f"{value:,}".replace("-", "\N{MINUS SIGN}")
    if value and abs(value) < 0.005:
        return f"{value:.1e}".replace("-", "\N{MINUS SIGN}")
    text = f"{value:,.2f}"
    text = text.rstrip("0").rstrip(".") if text.endswith(("0", ".")) else text
    return text.replace("-", "\N{MINUS SIGN}")


def short_number_text(value: float) -> str:
    """Return a number for the label of an axis, such as 1.2k or 3M."""
    for scale, letter in _SCALES:
        if scale <= abs(value) < _MOST_DIGITS:
            return f"{number_text(round(value / scale, 2))}{letter}"
    return number_text(int(value) if value == int(value) else value)


def money_text(value: float) -> str:
    """Return an amount of money: two decimals unless it is whole."""
    is_whole = isinstance(value, int) or value == int(value)
    if abs(value) >= _MOST_DIGITS or is_whole:
        return number_text(value)
    return f"{value:,.2f}".replace("-", "\N{MINUS SIGN}")


def moment_of(text: str) -> datetime | None:
    """Return the moment that an ISO 8601 date or date-time names, None for any other text.

    A moment without an offset, such as a date, comes back without one.
    """
    if not _MOMENT.match(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None


def moment_text(text: str) -> str | None:
    """Return a date, a time or a duration in words, None for any other text."""
    moment = moment_of(text)
    if moment is not None:
        return day_text(moment) if len(text) == len("2026-01-15") else f"{day_text(moment)}, {moment:%H:%M}"
    if _TIME.match(text):
        return text[:5] if _is_time(text) else None
    return _duration_text(text)


def day_text(day: date) -> str:
    """Return a day such as 15 Jan 2026."""
    return str(format_date(day, "j M Y"))


def short_day_text(day: date) -> str:
    """Return a day for the label of an axis, such as 15 Jan."""
    return str(format_date(day, "j M"))


def _is_time(text: str) -> bool:
    try:
        time.fromisoformat(text.upper())
    except ValueError:
        return False
    return True


def _duration_text(text: str) -> str | None:
    match = _DURATION.match(text)
    if match is None or not any(match.groups()):
        return None
    units = ("wk", "d", "h", "min", "s")
    return " ".join(f"{int(count)} {unit}" for count, unit in zip(match.groups(), units, strict=True) if count)
