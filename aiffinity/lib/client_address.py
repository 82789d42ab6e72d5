"""Where a request comes from, behind any number of trusted proxies (spec 2 "Rate limits")."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the caller's address, believing as many hops of X-Forwarded-For as there are trusted proxies.

    Hops are counted from the right, as each proxy appends what it saw. An IPv6 address stands for its /64,
    because one caller owns a whole one. An entry that is no address falls back to the connection's.
    """
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    proxies: int = settings.TRUSTED_PROXIES
    peer = str(request.META.get("REMOTE_ADDR", ""))
    given = hops[-proxies] if proxies and len(hops) >= proxies else peer
    return _network_of(given) or _network_of(peer) or "unknown"


def _network_of(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False).network_address)
