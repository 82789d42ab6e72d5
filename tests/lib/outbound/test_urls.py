"""Which URLs are refused by their text, and by which rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiffinity.lib.outbound import EgressPolicy, UrlRefused, check_url
from aiffinity.lib.outbound.urls import parse_url
from tests.refused_urls import REFUSED

POLICY = EgressPolicy()


@pytest.mark.parametrize(("url", "rule"), REFUSED)
def test_refused_url_names_its_rule(url: str, rule: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        check_url(url, POLICY)
    assert refused.value.rule == rule
    assert refused.value.kind == "refused"


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://api.acmeweather.com", "https://api.acmeweather.com/"),
        ("https://API.AcmeWeather.com.:443/v1?q=a%20b", "https://api.acmeweather.com/v1?q=a%20b"),
        ("https://api.acmeweather.com:8443/a/../b", "https://api.acmeweather.com:8443/a/../b"),
        ("https://api.acmeweather.com?tags[]=x", "https://api.acmeweather.com/?tags[]=x"),
        ("https://w\u00e4rme.example.com/\u00e4", "https://xn--wrme-loa.example.com/%C3%A4"),
        ("https://w\u00e4rme.example.com/%41\u00e4", "https://xn--wrme-loa.example.com/%41%C3%A4"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://[2606:4700::0001]/", "https://[2606:4700::1]/"),
        ("https://a_b.example.com/", "https://a_b.example.com/"),
        ("https://not-resolving.invalid/", "https://not-resolving.invalid/"),
    ],
)
def test_admitted_url_is_sent_in_plain_form(url: str, plain: str) -> None:
    assert parse_url(url, POLICY).text == plain


def test_length_is_admitted_up_to_the_limit() -> None:
    check_url("https://api.example.com/" + "a" * 2024, POLICY)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/",
        "https://127.0.0.1:9/",
        "http://127.1:80/",
        "http://localhost:9000/",
        "http://acme.localhost:9000/",
        "http://provider:8080/",
        "http://[::1]:7000/",
    ],
)
def test_allow_listed_target_is_admitted(url: str) -> None:
    policy = EgressPolicy.parse(allow=["127.0.0.0/8", "[::1]/128:7000", "provider:8080"], is_http_allowed=True)
    check_url(url, policy)


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://10.0.0.1/", "scheme"),
        ("https://10.0.0.1/", "private_address"),
        ("http://api.example.com/", "scheme"),
        ("https://[::1]:7001/", "private_address"),
        ("https://provider:8081/", "single_label"),
        ("https://user@127.0.0.1/", "userinfo"),
    ],
)
def test_allow_list_admits_nothing_else(url: str, rule: str) -> None:
    policy = EgressPolicy.parse(allow=["127.0.0.0/8", "[::1]/128:7000", "provider:8080"], is_http_allowed=True)
    with pytest.raises(UrlRefused) as refused:
        check_url(url, policy)
    assert refused.value.rule == rule


def test_http_needs_its_own_switch_even_for_an_allow_listed_target() -> None:
    policy = EgressPolicy.parse(allow=["127.0.0.0/8"])
    check_url("https://127.0.0.1:9000/", policy)
    with pytest.raises(UrlRefused) as refused:
        check_url("http://127.0.0.1:9000/", policy)
    assert refused.value.rule == "scheme"


@given(st.text(max_size=60))
def test_any_text_is_either_admitted_or_refused(text: str) -> None:
    for url in (text, f"https://{text}/", f"https://api.example.com/{text}"):
        try:
            plain = parse_url(url, POLICY).text
        except UrlRefused:
            continue
        assert plain.isascii()
        assert parse_url(plain, POLICY).text == plain


@given(st.integers(min_value=0, max_value=2**24 - 1), st.sampled_from(["dec", "hex", "oct", "short"]))
def test_every_loopback_address_is_refused_in_every_base(low: int, spelling: str) -> None:
    value = (127 << 24) + low
    host = {"dec": str(value), "hex": hex(value), "oct": f"0{value:o}", "short": f"127.{low}"}[spelling]
    with pytest.raises(UrlRefused) as refused:
        check_url(f"https://{host}/", POLICY)
    assert refused.value.rule == "private_address"
