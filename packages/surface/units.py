"""Units of measure from the names of fields: temperature_c is in °C, humidity_pct in %."""

import re
from typing import Final

_WORDS: Final = re.compile(r"[_\-.\s]+|(?<=[a-z0-9])(?=[A-Z])")

# The last word or words of a name, and how the unit is written.
UNITS: Final = {
    "c": "°C", "celsius": "°C", "f": "°F", "fahrenheit": "°F", "k": "K",
    "pct": "%", "percent": "%", "percentage": "%", "ppm": "ppm",
    "mm": "mm", "cm": "cm", "m": "m", "km": "km", "meters": "m", "metres": "m", "miles": "mi", "mi": "mi", "ft": "ft",
    "mg": "mg", "g": "g", "kg": "kg", "lb": "lb", "lbs": "lb", "oz": "oz",
    "ml": "ml", "l": "l", "liters": "l", "litres": "l",
    "ms": "ms", "s": "s", "sec": "s", "seconds": "s", "min": "min", "minutes": "min", "h": "h", "hours": "h",
    "days": "days", "weeks": "weeks",
    "kmh": "km/h", "kph": "km/h", "mph": "mph", "mps": "m/s", "knots": "kn", "rpm": "rpm", "bpm": "bpm",
    "pa": "Pa", "hpa": "hPa", "mbar": "mbar", "bar": "bar", "db": "dB", "lux": "lx", "hz": "Hz", "deg": "°",
    "w": "W", "kw": "kW", "wh": "Wh", "kwh": "kWh", "v": "V", "a": "A", "kcal": "kcal", "cal": "cal",
    "bytes": "B", "kb": "kB", "mb": "MB", "gb": "GB", "tb": "TB",
    "eur": "€", "usd": "$", "gbp": "£", "jpy": "¥", "chf": "CHF", "nok": "NOK", "sek": "SEK", "dkk": "DKK",
}  # fmt: skip
CURRENCY_SIGNS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
_LEADING_SIGNS: Final = frozenset(CURRENCY_SIGNS.values())
_CLOSE_SIGNS: Final = frozenset({"%", "°"})
_MONEY_WORDS: Final = frozenset({"amount", "price", "cost", "total", "balance", "fee", "value", "subtotal", "tax"})


def unit_of(name: str) -> str:
    """Return the unit that the last word of a field's name says, an empty text for none."""
    words = _words(name)
    if len(words) > 2 and words[-2] == "per":
        return ""
    is_alone = len(words) == 1 and len(words[0]) < 3
    return "" if not words or is_alone else UNITS.get(words[-1], "")


def without_unit(name: str) -> str:
    """Return a field's name without the word that says its unit; a name that is all unit stays."""
    words = _words(name)
    return "_".join(words[:-1]) if len(words) > 1 and unit_of(name) else name


def is_money(name: str) -> bool:
    """Whether a field's name speaks of money."""
    words = set(_words(name))
    return bool(words & _MONEY_WORDS) or unit_of(name) in {*_LEADING_SIGNS, "CHF", "NOK", "SEK", "DKK"}


def with_unit(text: str, unit: str) -> str:
    """Return a number's text with its unit: signs of currencies lead, % and ° stand close, others apart."""
    if not unit:
        return text
    if unit in _LEADING_SIGNS:
        sign, digits = (text[0], text[1:]) if text.startswith("\N{MINUS SIGN}") else ("", text)
        return f"{sign}{unit}{digits}"
    return f"{text}{unit}" if unit in _CLOSE_SIGNS else f"{text} {unit}"


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.split(name[:200]) if word]
