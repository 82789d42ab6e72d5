"""Judges a URL by its text alone, at save and again at send; never by a look-up.

What passes is a whole https URL to a name or a public address at an allowed port, or one to an allow-listed
target. The client sends what was parsed here and not the text that it was given, so that no second parser
reads it differently.
"""

import re
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import quote

from aiffinity.lib.outbound.addresses import refusal_of
from aiffinity.lib.outbound.errors import UrlRefused
from aiffinity.lib.outbound.hosts import Host, read_host
from aiffinity.lib.outbound.policy import EgressPolicy

MAX_URL_LENGTH = 2048
DEFAULT_PORT_OF_SCHEME = {"http": 80, "https": 443}

_PARTS = re.compile(r"\A([A-Za-z][A-Za-z0-9+.-]*):(//)?([^/?]*)(.*)\Z", re.DOTALL)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\\]")
_AUTHORITY = re.compile(r"\A(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?\Z")
_TARGET = re.compile(r"\A/(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]|%[0-9A-Fa-f]{2})*\Z")


@dataclass(frozen=True, slots=True)
class ParsedUrl:
    """A URL that the policy admits, in plain form."""

    scheme: str
    host: Host
    port: int
    target: str

    @property
    def origin(self) -> str:
        """Scheme, host and port as one text; connections are kept by it."""
        return f"{self.scheme}://{self.host.text}:{self.port}"

    @property
    def text(self) -> str:
        """The URL to send, all ASCII, without the port where it is the scheme's own."""
        if DEFAULT_PORT_OF_SCHEME[self.scheme] == self.port:
            return f"{self.scheme}://{self.host.text}{self.target}"
        return self.origin + self.target


def check_url(url: str, policy: EgressPolicy) -> None:
    """Refuse a URL that the platform must not call; UrlRefused names the rule and says why in a sentence."""
    parse_url(url, policy)


def parse_url(url: str, policy: EgressPolicy) -> ParsedUrl:
    """Parse a URL that the policy admits into plain form; UrlRefused for any other (RFC 3986, spec 4)."""
    _check_text(url)
    scheme, authority, target = _split(url)
    if "@" in authority:
        _refuse("userinfo", "The URL must not carry a user name or a password.")
    matched = _AUTHORITY.match(authority)
    if matched is None:
        _refuse("malformed", "The host and port of the URL are not readable.")
    host = read_host(matched[1])
    port = int(matched[2]) if matched[2] else DEFAULT_PORT_OF_SCHEME[scheme]
    parsed = ParsedUrl(scheme=scheme, host=host, port=port, target=_plain_target(target))
    _check_rules(parsed, policy)
    return parsed


def _check_text(url: str) -> None:
    if len(url) > MAX_URL_LENGTH:
        _refuse("length", f"The URL is longer than {MAX_URL_LENGTH} characters.")
    if _FORBIDDEN.search(url):
        _refuse("malformed", "The URL must not contain white space, control characters or backslashes.")
    if "#" in url:
        _refuse("fragment", "The URL must not have a fragment.")


def _split(url: str) -> tuple[str, str, str]:
    matched = _PARTS.match(url)
    if matched is None:
        _refuse("malformed", "The URL must be absolute and begin with https://.")
    scheme, slashes, authority, target = matched.groups()
    scheme = scheme.lower()
    if scheme not in DEFAULT_PORT_OF_SCHEME:
        _refuse("scheme", "The URL must begin with https://.")
    if slashes is None:
        _refuse("malformed", "The URL must begin with https://.")
    return scheme, authority, target


def _plain_target(target: str) -> str:
    if not target.startswith("/"):
        target = "/" + target
    if not target.isascii():
        try:
            target = quote(target, safe="/?%!$&'()*+,;=:@[]-._~")
        except UnicodeEncodeError:
            _refuse("malformed", "The path of the URL holds characters that cannot be encoded.")
    if not _TARGET.match(target):
        _refuse("malformed", "The path or query of the URL holds characters that must be percent-encoded.")
    return target


def _check_rules(url: ParsedUrl, policy: EgressPolicy) -> None:
    host = url.host
    if not 0 < url.port < 65_536:
        _refuse("port", "The port is not between 1 and 65535.")
    is_allow_listed = policy.allows_host(host.text, url.port) or (
        host.address is not None and policy.allows_address(host.address, url.port)
    )
    if url.scheme != "https" and not (is_allow_listed and policy.is_http_allowed):
        _refuse("scheme", "The URL must begin with https://.")
    if is_allow_listed:
        return
    _check_host(host)
    if url.port not in policy.ports:
        ports = ", ".join(str(port) for port in sorted(policy.ports))
        _refuse("port", f"The port must be one of {ports}.")


def _check_host(host: Host) -> None:
    if host.address is not None:
        refusal = refusal_of(host.address)
        if refusal is not None:
            _refuse("private_address", f"The address is not publicly reachable ({refusal}).")
    elif host.is_local_name:
        _refuse("local_name", "The host name belongs to a local network.")
    elif host.is_single_label:
        _refuse("single_label", "The host name must be a full domain name.")


def _refuse(rule: str, message: str) -> NoReturn:
    raise UrlRefused(rule=rule, message=message)
