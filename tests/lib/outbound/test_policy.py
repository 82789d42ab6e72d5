"""How settings become a policy."""

import ipaddress

import pytest
from django.test import override_settings

from aiffinity.lib.outbound import EgressPolicy, client, policy_from_settings
from aiffinity.lib.outbound.policy import AllowedNetwork, parse_allow_entry


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("127.0.0.0/8", ("127.0.0.0/8", None)),
        ("127.0.0.1", ("127.0.0.1/32", None)),
        ("127.0.0.1:9000", ("127.0.0.1/32", 9000)),
        ("10.0.0.0/8:9000", ("10.0.0.0/8", 9000)),
        ("::1", ("::1/128", None)),
        ("::1/128", ("::1/128", None)),
        ("[::1]/128", ("::1/128", None)),
        ("[::1]:9000", ("::1/128", 9000)),
        ("[fd00::]/8:9000", ("fd00::/8", 9000)),
    ],
)
def test_allow_entry_for_a_network(entry: str, expected: tuple[str, int | None]) -> None:
    assert parse_allow_entry(entry) == AllowedNetwork(ipaddress.ip_network(expected[0]), expected[1])


def test_allow_entry_for_a_name_and_port() -> None:
    assert parse_allow_entry("Provider.test:8080") == ("provider.test", 8080)


@pytest.mark.parametrize("entry", ["", "provider", "provider:", "127.0.0.1/33", "http://provider:80", "*", "a b:80"])
def test_unreadable_allow_entry_raises(entry: str) -> None:
    with pytest.raises(ValueError, match="is neither"):
        parse_allow_entry(entry)


def test_policy_is_read_from_settings() -> None:
    with override_settings(
        EGRESS_ALLOW=["127.0.0.0/8", "provider:8080"],
        EGRESS_ALLOW_HTTP=True,
        EGRESS_PORTS=[443],
        EGRESS_PROXY="http://127.0.0.1:3128",
    ):
        policy = policy_from_settings()
    assert policy == EgressPolicy(
        ports=frozenset({443}),
        networks=(AllowedNetwork(ipaddress.ip_network("127.0.0.0/8")),),
        hosts=frozenset({("provider", 8080)}),
        is_http_allowed=True,
        proxy="http://127.0.0.1:3128",
    )


def test_shared_client_follows_the_settings() -> None:
    with override_settings(EGRESS_ALLOW=[], EGRESS_ALLOW_HTTP=False, EGRESS_PORTS=[443], EGRESS_PROXY=""):
        first = client()
        assert first is client()
        assert first.policy.ports == {443}
        with override_settings(EGRESS_PORTS=[443, 8443]):
            assert client().policy.ports == {443, 8443}


@pytest.mark.parametrize(
    ("address", "port", "host", "refusal"),
    [
        ("8.8.8.8", 443, "api.example.com", None),
        ("8.8.8.8", 22, "api.example.com", "port"),
        ("127.0.0.1", 443, "api.example.com", "loopback"),
        ("10.0.0.9", 8080, "provider", None),
        ("10.0.0.9", 8081, "provider", "private"),
        ("10.0.0.9", 8080, "other", "private"),
        ("10.9.0.1", 5000, "other", None),
    ],
)
def test_connection_check(address: str, port: int, host: str, refusal: str | None) -> None:
    policy = EgressPolicy.parse(allow=["provider:8080", "10.9.0.0/16"])
    assert policy.refusal_of_connection(ipaddress.ip_address(address), port, host=host) == refusal


@pytest.mark.parametrize(
    ("proxy", "address", "port", "refusal"),
    [
        ("http://10.0.0.5:3128", "10.0.0.5", 3128, None),
        ("http://10.0.0.5:3128", "10.0.0.6", 3128, "not_the_proxy"),
        ("http://10.0.0.5:3128", "10.0.0.5", 443, "not_the_proxy"),
        ("http://proxy.corp:3128", "10.0.0.7", 3128, None),
        ("http://proxy.corp:3128", "8.8.8.8", 443, "not_the_proxy"),
    ],
)
def test_with_a_proxy_only_the_proxy_is_connected_to(proxy: str, address: str, port: int, refusal: str | None) -> None:
    policy = EgressPolicy.parse(proxy=proxy)
    found = policy.refusal_of_connection(ipaddress.ip_address(address), port, host="api.example.com")
    assert found == refusal
