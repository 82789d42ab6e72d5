"""Which URLs are refused by their text, and by which rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiffinity.lib.outbound import EgressPolicy, UrlRefused, check_url
from aiffinity.lib.outbound.urls import parse_url

POLICY = EgressPolicy()

REFUSED = [
    # Literal addresses in every spelling.
    ("https://127.0.0.1/", "private_address"),
    ("https://127.0.0.1:8443/", "private_address"),
    ("https://127.0.0.1", "private_address"),
    ("https://127.0.0.1?x", "private_address"),
    ("HTTPS://127.0.0.1/", "private_address"),
    ("https://127.1/", "private_address"),
    ("https://127.0.1/", "private_address"),
    ("https://2130706433/", "private_address"),
    ("https://0x7f000001/", "private_address"),
    ("https://0X7F.1/", "private_address"),
    ("https://0x7f.0x0.0x0.0x1/", "private_address"),
    ("https://0177.0.0.1/", "private_address"),
    ("https://017700000001/", "private_address"),
    ("https://0000177.0.0.01/", "private_address"),
    ("https://127.0.0.1./", "private_address"),
    ("https://0/", "private_address"),
    ("https://0x/", "private_address"),
    ("https://0.0.0.0/", "private_address"),
    ("https://10.1/", "private_address"),
    ("https://169.254.169.254/latest/meta-data/", "private_address"),
    ("https://0xa9fea9fe/", "private_address"),
    ("https://2852039166/", "private_address"),
    ("https://100.64.0.1/", "private_address"),
    ("https://224.0.0.1/", "private_address"),
    ("https://255.255.255.255/", "private_address"),
    ("https://4294967295/", "private_address"),
    ("https://%31%32%37.0.0.1/", "private_address"),
    ("https://127%2e0%2e0%2e1/", "private_address"),
    ("https://\uff11\uff12\uff17.0.0.1/", "private_address"),
    ("https://127\u30020\u30020\u30021/", "private_address"),
    ("https://127\uff0e0\uff0e0\uff0e1/", "private_address"),
    ("https://127\uff610\uff610\uff611/", "private_address"),
    ("https://\u2460\u2461\u2466.0.0.1/", "private_address"),
    ("https://%EF%BC%91%32%37.0.0.1/", "private_address"),
    ("https://[::1]/", "private_address"),
    ("https://[0:0:0:0:0:0:0:1]/", "private_address"),
    ("https://[0000::0001]:443/", "private_address"),
    ("https://[::]/", "private_address"),
    ("https://[::127.0.0.1]/", "private_address"),
    ("https://[::ffff:127.0.0.1]/", "private_address"),
    ("https://[::ffff:7f00:1]/", "private_address"),
    ("https://[::FFFF:8.8.8.8]/", "private_address"),
    ("https://[::ffff:0:127.0.0.1]/", "private_address"),
    ("https://[64:ff9b::127.0.0.1]/", "private_address"),
    ("https://[64:ff9b:1::10.0.0.1]/", "private_address"),
    ("https://[2002:7f00:1::]/", "private_address"),
    ("https://[2001:0:7f00:1::]/", "private_address"),
    ("https://[fc00::1]/", "private_address"),
    ("https://[fd00:ec2::254]/", "private_address"),
    ("https://[fe80::1]/", "private_address"),
    ("https://[fec0::1]/", "private_address"),
    ("https://[ff02::1]/", "private_address"),
    ("https://[fe80::1%25eth0]/", "zone_id"),
    ("https://[fe80::1%eth0]/", "zone_id"),
    # Unusual spellings of public addresses, and what only looks like an address.
    ("https://134744072/", "malformed"),
    ("https://8.8.8.8./", "malformed"),
    ("https://010.8.8.8/", "malformed"),
    ("https://8.8.2056/", "malformed"),
    ("https://127.0.0.256/", "malformed"),
    ("https://4294967296/", "malformed"),
    ("https://1.2.3.4.5/", "malformed"),
    ("https://08.8.8.8/", "malformed"),
    ("https://api.example.1/", "malformed"),
    ("https://api.0x7f/", "malformed"),
    ("https://::1/", "malformed"),
    ("https://[127.0.0.1]/", "malformed"),
    ("https://[::1/", "malformed"),
    ("https://[::1]x/", "malformed"),
    ("https://[v1.fe80]/", "malformed"),
    # Names of this machine and of private networks.
    ("https://localhost/", "local_name"),
    ("https://LocalHost./", "local_name"),
    ("https://api.localhost/", "local_name"),
    ("https://localhost.localdomain/", "local_name"),
    ("https://ip6-localhost/", "local_name"),
    ("https://ip6-loopback/", "local_name"),
    ("https://printer.local/", "local_name"),
    ("https://metadata.google.internal/", "local_name"),
    ("https://router.home.arpa/", "local_name"),
    ("https://kubernetes.default.svc/", "local_name"),
    ("https://loc%61lhost/", "local_name"),
    ("https://\u24dbocalhost/", "local_name"),
    ("https://loc\u00adalhost/", "local_name"),
    ("https://intranet/", "single_label"),
    ("https://com./", "single_label"),
    # Everything else about the text.
    ("http://api.example.com/", "scheme"),
    ("http://127.0.0.1/", "scheme"),
    ("ftp://api.example.com/", "scheme"),
    ("file:///etc/passwd", "scheme"),
    ("gopher://127.0.0.1:70/", "scheme"),
    ("javascript:alert(1)", "scheme"),
    ("data:text/plain,x", "scheme"),
    ("https://user@api.example.com/", "userinfo"),
    ("https://user:password@api.example.com/", "userinfo"),
    ("https://api.example.com:443@127.0.0.1/", "userinfo"),
    ("https://127.0.0.1%40api.example.com/", "malformed"),
    ("https://api.example.com:22/", "port"),
    ("https://api.example.com:80/", "port"),
    ("https://api.example.com:0/", "port"),
    ("https://api.example.com:65536/", "port"),
    ("https://api.example.com:99999/", "port"),
    ("https://api.example.com:/", "malformed"),
    ("https://api.example.com:443443443/", "malformed"),
    ("https://api.example.com:\uff14\uff14\uff13/", "malformed"),
    ("https://api.example.com:+443/", "malformed"),
    ("https://api.example.com/#part", "fragment"),
    ("https://api.example.com#@127.0.0.1/", "fragment"),
    ("https://api.example.com\\@127.0.0.1/", "malformed"),
    ("https:\\\\api.example.com/", "malformed"),
    ("https://api.example.com/\r\nHost: x", "malformed"),
    ("https://api.example.com/\x00", "malformed"),
    ("https://api.example.com/a b", "malformed"),
    (" https://api.example.com/", "malformed"),
    ("https://api.example.com/\n", "malformed"),
    ("https://api.example.com/\u2028", "malformed"),
    ("https://api.example.com/\u202e", "malformed"),
    ("https://api\u200b.example.com/", "malformed"),
    ("https:/api.example.com/", "malformed"),
    ("https:api.example.com", "malformed"),
    ("https:///api.example.com/", "malformed"),
    ("https://", "malformed"),
    ("//api.example.com/", "malformed"),
    ("api.example.com", "malformed"),
    ("", "malformed"),
    ("https://api..example.com/", "malformed"),
    ("https://.example.com/", "malformed"),
    ("https://api.example.com../", "malformed"),
    ("https://-api.example.com/", "malformed"),
    ("https://api.ex*mple.com/", "malformed"),
    ("https://api%2eexample.com/", "malformed"),
    ("https://%ff.example.com/", "malformed"),
    ("https://%2531.example.com/", "malformed"),
    ("https://api.example.com\uff0f.evil.com/", "malformed"),
    ("https://stra\u00dfe.example.com/", "malformed"),
    ("https://xn--localhost-/", "malformed"),
    (f"https://{'a' * 64}.example.com/", "malformed"),
    ("https://api.example.com/%zz", "malformed"),
    ("https://api.example.com/{id}", "malformed"),
    ("https://api.example.com/<b>", "malformed"),
    ("https://api.example.com/\ud800", "malformed"),
    ("https://api.example.com/" + "a" * 2025, "length"),
]


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
