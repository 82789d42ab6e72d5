"""The ranges of IP addresses that the platform never connects to.

The list is the platform's own, because the standard library calls NAT64, 6to4, `::127.0.0.1` and multicast
global and does not call 100.64.0.0/10 private. IPv6 is judged the other way round too: whatever lies outside
the global unicast range 2000::/3 is refused, named or not. Wrappings of IPv4 in IPv6 are refused whole, since
no provider needs them. Sources: the IANA special-purpose registries (RFC 6890), RFC 6052, RFC 8215, RFC 5214,
and the clouds' manuals.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

IpAddress = IPv4Address | IPv6Address

# The order matters: the first match names the rule.
_IPV4_RULES: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), rule)
    for network, rule in (
        ("169.254.169.254/32", "metadata"),
        ("169.254.170.2/32", "metadata"),
        ("100.100.100.200/32", "metadata"),
        ("168.63.129.16/32", "metadata"),
        ("192.0.0.192/32", "metadata"),
        ("0.0.0.0/8", "this_network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier_grade_nat"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link_local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "protocol_assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "as112"),
        ("192.52.193.0/24", "multicast_tunnel"),
        ("192.88.99.0/24", "6to4_relay"),
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "as112"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("255.255.255.255/32", "broadcast"),
        ("240.0.0.0/4", "reserved"),
    )
)

_IPV6_RULES: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), rule)
    for network, rule in (
        ("fd00:ec2::254/128", "metadata"),
        ("fd20:ce::254/128", "metadata"),
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "ipv4_mapped"),
        ("::ffff:0:0:0/96", "ipv4_translated"),
        ("::/96", "ipv4_compatible"),
        ("64:ff9b::/96", "nat64"),
        ("64:ff9b:1::/48", "nat64"),
        ("100::/64", "discard_only"),
        ("100:0:0:1::/64", "discard_only"),
        ("2001::/32", "teredo"),
        ("2001:2::/48", "benchmarking"),
        ("2001::/23", "protocol_assignments"),
        ("2001:db8::/32", "documentation"),
        ("3fff::/20", "documentation"),
        ("2002::/16", "6to4"),
        ("2620:4f:8000::/48", "as112"),
        ("fc00::/7", "unique_local"),
        ("fe80::/10", "link_local"),
        ("fec0::/10", "site_local"),
        ("ff00::/8", "multicast"),
    )
)

_GLOBAL_UNICAST = IPv6Network("2000::/3")

# The upper half of an interface identifier that carries an IPv4 address (RFC 5214, section 6.1).
_ISATAP_PREFIXES = frozenset({0x00005EFE, 0x02005EFE})


def refusal_of(address: str | IpAddress) -> str | None:
    """Return the name of the rule that refuses this address, or None when it is globally routable.

    A text must be one canonical or abbreviated literal, with or without a zone; anything else raises
    ValueError.
    """
    if isinstance(address, str):
        address = ip_address(address)
    if isinstance(address, IPv4Address):
        return _refusal_of_ipv4(address)
    return _refusal_of_ipv6(address)


def _refusal_of_ipv4(address: IPv4Address) -> str | None:
    for network, rule in _IPV4_RULES:
        if address in network:
            return rule
    return None


def _refusal_of_ipv6(address: IPv6Address) -> str | None:
    # A zone makes an address differ from the same one in a network, so it is dropped before the comparison.
    plain = IPv6Address(int(address))
    for network, rule in _IPV6_RULES:
        if plain in network:
            return rule
    if plain not in _GLOBAL_UNICAST:
        return "not_global_unicast"
    interface = int(plain) & 0xFFFF_FFFF_FFFF_FFFF
    if interface >> 32 in _ISATAP_PREFIXES and _refusal_of_ipv4(IPv4Address(interface & 0xFFFF_FFFF)):
        return "isatap"
    return None
