"""Nothing connects to a refused address, however it is spelled: not a single request, nor one among many."""

from urllib.parse import urlsplit

import pytest

from aiffinity.lib.outbound import EgressPolicy, OutboundClient, OutboundRequest, UrlRefused
from tests.lib.outbound.servers import OK, LocalServer, answering
from tests.refused_urls import SPELLINGS


def at_port(url: str, port: int) -> str:
    """Return a spelling with another port."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition(":")[0] if not parts.netloc.endswith("]") and parts.port else parts.netloc
    return f"https://{host}:{port}/"


def test_no_spelling_reaches_a_server_that_listens() -> None:
    assert len(SPELLINGS) >= 86
    with LocalServer(answering(OK)) as server:
        urls = [at_port(url, server.port) for url in SPELLINGS]
        http = OutboundClient(EgressPolicy(ports=frozenset({server.port})))
        for url in urls:
            with pytest.raises(UrlRefused):
                http.request(OutboundRequest(method="GET", url=url, timeout_ms=500))
        requests = [OutboundRequest(method="POST", url=url, timeout_ms=500) for url in urls]
        outcomes = list(http.send_many(requests, max_in_flight=16))
        assert len(outcomes) == len(urls)
        assert {type(outcome) for _, outcome in outcomes} == {UrlRefused}
        assert server.connections == 0
