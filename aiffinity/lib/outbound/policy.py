"""Where the platform may connect to beside the public internet: the settings as one frozen value."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Self
from urllib.parse import urlsplit

from django.conf import settings

from aiffinity.lib.outbound.addresses import IpAddress, refusal_of

DEFAULT_PORTS = (443, 8443)

_BRACKETED = re.compile(r"\A\[([0-9A-Fa-f:.]+)\](/[0-9]{1,3})?(?::([0-9]{1,5}))?\Z")
_HOST_AND_PORT = re.compile(r"\A([A-Za-z0-9._-]+(?:/[0-9]{1,2})?):([0-9]{1,5})\Z")
_LOOPBACKS = (ip_address("127.0.0.1"), ip_address("::1"))


@dataclass(frozen=True, slots=True)
class AllowedNetwork:
    """A network that is admitted although it is not globally routable, at one port or (None) at any."""

    network: IPv4Network | IPv6Network
    port: int | None = None

    def admits(self, address: IpAddress, port: int) -> bool:
        """Tell whether this entry covers the address at this port."""
        return address in self.network and self.port in (None, port)


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """The rules of one client: only https to public addresses at `ports`, and what is allow-listed.

    `networks` and `hosts` (pairs of lower-case name and port) are meant for development and tests. Plain http
    goes to allow-listed targets alone, and only with `is_http_allowed`. `proxy` is an egress proxy's URL or
    "", `ca_file` the path of a bundle of certificates or "" for the system's, `pinned_names` are libcurl's
    "name:port:address" entries that stand in for the resolver; a pinned address is checked like a resolved
    one.
    """

    ports: frozenset[int] = frozenset(DEFAULT_PORTS)
    networks: tuple[AllowedNetwork, ...] = ()
    hosts: frozenset[tuple[str, int]] = frozenset()
    is_http_allowed: bool = False
    proxy: str = ""
    ca_file: str = ""
    pinned_names: tuple[str, ...] = ()

    @classmethod
    def parse(
        cls,
        *,
        allow: Iterable[str] = (),
        is_http_allowed: bool = False,
        ports: Iterable[int] = DEFAULT_PORTS,
        proxy: str = "",
        ca_file: str = "",
        pinned_names: Iterable[str] = (),
    ) -> Self:
        """Build a policy from settings' spellings ("127.0.0.0/8", "[::1]/128:9000", "host:port"); ValueError
        if unreadable.
        """
        entries = [parse_allow_entry(entry) for entry in allow]
        return cls(
            ports=frozenset(ports),
            networks=tuple(entry for entry in entries if isinstance(entry, AllowedNetwork)),
            hosts=frozenset(entry for entry in entries if not isinstance(entry, AllowedNetwork)),
            is_http_allowed=is_http_allowed,
            proxy=proxy,
            ca_file=ca_file,
            pinned_names=tuple(pinned_names),
        )

    def allows_address(self, address: IpAddress, port: int) -> bool:
        """Tell whether the address is allow-listed at this port."""
        return any(entry.admits(address, port) for entry in self.networks)

    def allows_host(self, host: str, port: int) -> bool:
        """Tell whether the name is allow-listed at this port: by itself, or as localhost by an allowed
        loopback network.
        """
        if (host, port) in self.hosts:
            return True
        is_localhost = host == "localhost" or host.endswith(".localhost")
        return is_localhost and any(self.allows_address(loopback, port) for loopback in _LOOPBACKS)

    def refusal_of_connection(self, address: IpAddress, port: int, *, host: str) -> str | None:
        """Name the rule that forbids to connect to this address for this host, or None; the connect-time
        check.
        """
        if self.proxy:
            return None if _is_proxy(self.proxy, address, port) else "not_the_proxy"
        if (host, port) in self.hosts or self.allows_address(address, port):
            return None
        refusal = refusal_of(address)
        if refusal is not None:
            return refusal
        return None if port in self.ports else "port"


def parse_allow_entry(entry: str) -> AllowedNetwork | tuple[str, int]:
    """Read one entry of EGRESS_ALLOW: a network with or without a port, or a (name, port) pair; ValueError if
    neither.
    """
    entry = entry.strip()
    bracketed = _BRACKETED.match(entry)
    if bracketed is not None:
        address, prefix, port = bracketed.groups()
        return AllowedNetwork(ip_network(address + (prefix or "")), int(port) if port else None)
    try:
        return AllowedNetwork(ip_network(entry))
    except ValueError:
        pass
    paired = _HOST_AND_PORT.match(entry)
    if paired is None:
        message = f"{entry!r} is neither a network, a network with a port, nor host:port."
        raise ValueError(message)
    host, port_text = paired.groups()
    try:
        return AllowedNetwork(ip_network(host), int(port_text))
    except ValueError:
        return (host.lower(), int(port_text))


def policy_from_settings() -> EgressPolicy:
    """Build the policy from EGRESS_ALLOW, EGRESS_ALLOW_HTTP, EGRESS_PORTS and EGRESS_PROXY, each of which may
    be absent.
    """
    return _policy(
        tuple(getattr(settings, "EGRESS_ALLOW", ())),
        tuple(getattr(settings, "EGRESS_PORTS", DEFAULT_PORTS)),
        getattr(settings, "EGRESS_PROXY", "") or "",
        is_http_allowed=bool(getattr(settings, "EGRESS_ALLOW_HTTP", False)),
    )


@lru_cache(maxsize=8)
def _policy(allow: tuple[str, ...], ports: tuple[int, ...], proxy: str, *, is_http_allowed: bool) -> EgressPolicy:
    return EgressPolicy.parse(allow=allow, is_http_allowed=is_http_allowed, ports=ports, proxy=proxy)


@lru_cache(maxsize=8)
def _proxy_endpoint(proxy: str) -> tuple[str, int]:
    # libcurl's own default port for a proxy is 1080.
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return parts.hostname or "", parts.port or 1080


def _is_proxy(proxy: str, address: IpAddress, port: int) -> bool:
    host, proxy_port = _proxy_endpoint(proxy)
    if port != proxy_port:
        return False
    try:
        return ip_address(host) == address
    except ValueError:
        # The operator names the proxy, and libcurl opens no other socket while one is set.
        return True
