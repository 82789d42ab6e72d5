"""Reads the host of a URL into the one name or address that every client would see, or refuses it.

A host may be spelt decimal, octal, hexadecimal, shortened, percent-encoded, full-width or with a trailing
dot; what is judged is the plain form, as RFC 3986, the URL Standard's IPv4 parser and IDNA read it. Unusual
spellings of public addresses are refused as malformed, for nobody needs them.
"""

import re
import unicodedata
from dataclasses import dataclass
from encodings.idna import ToASCII
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import NoReturn
from urllib.parse import unquote

from aiffinity.lib.outbound.addresses import IpAddress, refusal_of
from aiffinity.lib.outbound.errors import UrlRefused

_LABEL = re.compile(r"\A[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_NUMBER = re.compile(r"\A(?:0x[0-9a-f]*|[0-9]+)\Z")
_DOTTED_DECIMAL = re.compile(r"\A(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}\Z")

# Full stops of other scripts that IDNA reads as label separators (RFC 3490, section 3.1).
_FULL_STOPS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})

# Two versions of IDNA lead these to different hosts (Unicode Technical Standard 46, section 7).
_DEVIATIONS = re.compile("[\u00df\u03c2\u200c\u200d]")

LOCAL_NAMES = frozenset({"localhost", "ip6-localhost", "ip6-loopback", "broadcasthost", "localdomain", "metadata"})
LOCAL_SUFFIXES = (
    ".localhost",
    ".localdomain",
    ".local",
    ".internal",
    ".intranet",
    ".private",
    ".corp",
    ".home",
    ".lan",
    ".home.arpa",
    ".svc",
    ".ip6-localhost",
    ".ip6-loopback",
)


@dataclass(frozen=True, slots=True)
class Host:
    """A host in plain form: `text` is lower-case ASCII (an IPv6 address stands in brackets), `address` its
    literal if it is one.
    """

    text: str
    address: IpAddress | None = None

    @property
    def is_local_name(self) -> bool:
        """Tell whether the name means this machine or a private network by its text alone."""
        return self.address is None and (self.text in LOCAL_NAMES or self.text.endswith(LOCAL_SUFFIXES))

    @property
    def is_single_label(self) -> bool:
        """Tell whether the name has no dot, so that a resolver would look it up in its own search domains."""
        return self.address is None and "." not in self.text


@lru_cache(maxsize=4096)
def read_host(raw: str) -> Host:
    """Read the host part of a URL, without userinfo and port; UrlRefused with `malformed` or `zone_id` if
    unreadable.
    """
    if raw.startswith("["):
        return _read_bracketed(raw)
    decoded = _decode(raw)
    name = _plain_name(decoded)
    address = _read_ipv4(name)
    if address is None:
        _check_name(name)
        host = Host(name)
    else:
        host = Host(str(address), address)
        # The odd spelling of a refused address is left to the address rule, which names it better.
        if not _DOTTED_DECIMAL.match(raw) and _is_public(address):
            _malformed("The host is an address in an unusual spelling.")
    if decoded is not raw and (host.address is None or _is_public(host.address)) and not host.is_local_name:
        _malformed("The host must not be percent-encoded.")
    return host


def _decode(raw: str) -> str:
    if "%" not in raw:
        return raw
    try:
        return unquote(raw, errors="strict")
    except UnicodeDecodeError:
        _malformed("The host must not be percent-encoded.")


def _is_public(address: IpAddress) -> bool:
    """Tell whether no rule refuses the address."""
    return refusal_of(address) is None


def _read_bracketed(raw: str) -> Host:
    if not raw.endswith("]"):
        _malformed("The host's brackets are not closed.")
    literal = raw[1:-1]
    if "%" in literal:
        raise UrlRefused(rule="zone_id", message="The host must not carry a zone identifier.")
    try:
        address = IPv6Address(literal)
    except ValueError:
        _malformed("The host in brackets is not an IPv6 address.")
    return Host(f"[{address}]", address)


def _plain_name(decoded: str) -> str:
    name = unicodedata.normalize("NFKC", decoded.translate(_FULL_STOPS)).translate(_FULL_STOPS).lower()
    if _DEVIATIONS.search(name):
        _malformed("The host holds characters that clients read differently; spell it as xn--.")
    if not name.isascii():
        name = ".".join(_ascii_label(label) for label in name.split(".")).lower()
    return name.removesuffix(".")


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    try:
        return ToASCII(label).decode("ascii")
    except UnicodeError:
        _malformed("The host is not a valid internationalised name.")


def _read_ipv4(name: str) -> IPv4Address | None:
    parts = name.split(".")
    if not _NUMBER.match(parts[-1]):
        return None
    if len(parts) > 4:
        _malformed("The host is neither a name nor an address.")
    numbers = [_read_number(part) for part in parts]
    *leading, last = numbers
    if any(number > 255 for number in leading) or last >= 256 ** (5 - len(numbers)):
        _malformed("The host is neither a name nor an address.")
    value = last
    for position, number in enumerate(leading):
        value += number << (8 * (3 - position))
    return IPv4Address(value)


def _read_number(part: str) -> int:
    if not _NUMBER.match(part) or len(part) > 40:
        _malformed("The host is neither a name nor an address.")
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    try:
        return int(part, 8) if part.startswith("0") else int(part)
    except ValueError:
        _malformed("The host is neither a name nor an address.")


def _check_name(name: str) -> None:
    if not name or len(name) > 253 or not all(_LABEL.match(label) for label in name.split(".")):
        _malformed("The host is not a valid name.")


def _malformed(message: str) -> NoReturn:
    raise UrlRefused(rule="malformed", message=message)
