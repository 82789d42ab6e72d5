"""Which addresses are refused, and by which rule."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiffinity.lib.outbound import refusal_of


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("0.0.0.0", "this_network"),  # noqa: S104 - Nothing is bound to it.
        ("0.255.255.255", "this_network"),
        ("10.0.0.0", "private"),
        ("10.255.255.255", "private"),
        ("100.64.0.0", "carrier_grade_nat"),
        ("100.127.255.255", "carrier_grade_nat"),
        ("100.100.100.200", "metadata"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.255", "loopback"),
        ("168.63.129.16", "metadata"),
        ("169.254.0.1", "link_local"),
        ("169.254.169.254", "metadata"),
        ("169.254.170.2", "metadata"),
        ("172.16.0.0", "private"),
        ("172.31.255.255", "private"),
        ("192.0.0.1", "protocol_assignments"),
        ("192.0.0.192", "metadata"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "6to4_relay"),
        ("192.168.255.255", "private"),
        ("198.18.0.1", "benchmarking"),
        ("198.19.255.255", "benchmarking"),
        ("198.51.100.1", "documentation"),
        ("203.0.113.1", "documentation"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::127.0.0.1", "ipv4_compatible"),
        ("::8.8.8.8", "ipv4_compatible"),
        ("::ffff:127.0.0.1", "ipv4_mapped"),
        ("::ffff:8.8.8.8", "ipv4_mapped"),
        ("::ffff:0:127.0.0.1", "ipv4_translated"),
        ("64:ff9b::7f00:1", "nat64"),
        ("64:ff9b:1::a00:1", "nat64"),
        ("100::1", "discard_only"),
        ("2001::1", "teredo"),
        ("2001:2::1", "benchmarking"),
        ("2001:10::1", "protocol_assignments"),
        ("2001:20::1", "protocol_assignments"),
        ("2001:db8::1", "documentation"),
        ("3fff::1", "documentation"),
        ("2002:7f00:1::", "6to4"),
        ("fc00::1", "unique_local"),
        ("fd00:ec2::254", "metadata"),
        ("fd20:ce::254", "metadata"),
        ("fdff::1", "unique_local"),
        ("fe80::1", "link_local"),
        ("fe80::1%eth0", "link_local"),
        ("fec0::1", "site_local"),
        ("ff02::1", "multicast"),
        ("4000::1", "not_global_unicast"),
        ("5f00::1", "not_global_unicast"),
        ("2606:4700::5efe:a00:1", "isatap"),
        ("2606:4700::200:5efe:7f00:1", "isatap"),
    ],
)
def test_refused_address_names_its_rule(address: str, rule: str) -> None:
    assert refusal_of(address) == rule


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2001:4860:4860::8888",
        "2606:4700::5efe:808:808",
    ],
)
def test_public_address_passes(address: str) -> None:
    assert refusal_of(address) is None


def test_text_that_is_no_literal_raises() -> None:
    with pytest.raises(ValueError, match=r"127\.1"):
        refusal_of("127.1")


@given(st.ip_addresses(v=4))
def test_ipv4_that_python_calls_private_or_multicast_never_passes(address: IPv4Address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or address.is_loopback:
        assert refusal_of(address) is not None
