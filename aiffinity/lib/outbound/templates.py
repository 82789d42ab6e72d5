"""URLs with placeholders, such as `https://{subdomain}.acmeweather.com/v1/me?key={api_key}`.

A placeholder stands for one whole DNS label, left of a fixed domain, or for any part of path and query, where
values are percent-encoded; a value can therefore never move the request to another domain, path or parameter.
The rendered URL is judged like any other.
"""

import re
from collections.abc import Collection, Mapping
from typing import NoReturn
from urllib.parse import quote

from aiffinity.lib.outbound.errors import PlaceholderRefused, UrlRefused
from aiffinity.lib.outbound.policy import EgressPolicy
from aiffinity.lib.outbound.urls import MAX_URL_LENGTH, check_url

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")
_PARTS = re.compile(r"\A([^/?#{}]*//)([^/?#]*)(.*)\Z", re.DOTALL)
_LABEL = re.compile(r"\A[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")

# A label that no real host is asked for: templates are judged with it in place of each value.
_SAMPLE = "x"
_MIN_FIXED_LABELS = 2


def check_url_template(template: str, field_names: Collection[str], policy: EgressPolicy) -> None:
    """Refuse a template whose placeholders are not among the fields or stand where they may not; UrlRefused
    says why.
    """
    before, authority, rest = _split(template)
    for name in _PLACEHOLDER.findall(template):
        if name not in field_names:
            _refuse("unknown_placeholder", f"The placeholder {{{name}}} is not a declared field.")
    _check_authority(authority)
    check_url(before + _PLACEHOLDER.sub(_SAMPLE, authority) + _PLACEHOLDER.sub(_SAMPLE, rest), policy)


def render_url_template(template: str, values: Mapping[str, str], policy: EgressPolicy) -> str:
    """Fill a template's placeholders and judge the outcome; UrlRefused never repeats a value.

    Raises PlaceholderRefused with `missing_value` for a placeholder without a value, and with `placeholder_value`
    for a value that is no DNS label where one is needed, or that would step out of its path segment ("..").
    """
    before, authority, rest = _split(template)
    _check_authority(authority)
    host = _PLACEHOLDER.sub(lambda found: _label(found[1], values), authority)
    url = before + host + _PLACEHOLDER.sub(lambda found: _encoded(found[1], values), rest)
    check_url(url, policy)
    return url


def _split(template: str) -> tuple[str, str, str]:
    if len(template) > MAX_URL_LENGTH:
        _refuse("length", f"The URL is longer than {MAX_URL_LENGTH} characters.")
    matched = _PARTS.match(template)
    if matched is None:
        _refuse("malformed", "The URL must begin with https:// and may hold placeholders only after it.")
    return matched[1], matched[2], matched[3]


def _check_authority(authority: str) -> None:
    if "{" not in authority:
        return
    labels = authority.split(".")
    are_fixed = ["{" not in label for label in labels]
    if not all(is_fixed or _PLACEHOLDER.fullmatch(label) for is_fixed, label in zip(are_fixed, labels, strict=True)):
        _refuse("placeholder", "A placeholder in the host must be a whole label between dots.")
    if len(labels) < _MIN_FIXED_LABELS or not all(are_fixed[-_MIN_FIXED_LABELS:]):
        _refuse("placeholder", "The host must end with a fixed domain.")


def _value(name: str, values: Mapping[str, str]) -> str:
    value = values.get(name)
    if not value:
        _refuse_value("missing_value", name, "is missing")
    return value


def _label(name: str, values: Mapping[str, str]) -> str:
    value = _value(name, values)
    if not _LABEL.match(value):
        _refuse_value("placeholder_value", name, "must be one label of a host name: letters, digits and hyphens")
    return value


def _encoded(name: str, values: Mapping[str, str]) -> str:
    value = _value(name, values)
    # A dot is never percent-encoded on its way through a server, so only its meaning as a path step can be
    # refused.
    if not value.strip("."):
        _refuse_value("placeholder_value", name, "must not consist of dots")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        _refuse_value("placeholder_value", name, "holds characters that cannot be encoded")


def _refuse_value(rule: str, name: str, fault: str) -> NoReturn:
    raise PlaceholderRefused(rule=rule, message=f"The value for {{{name}}} {fault}.", name=name)


def _refuse(rule: str, message: str) -> NoReturn:
    raise UrlRefused(rule=rule, message=message)
