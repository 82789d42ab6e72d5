"""The blocking client against local servers: what it sends, keeps and never keeps."""

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aiffinity.lib.outbound import (
    ConnectFailed,
    OutboundClient,
    OutboundRefused,
    OutboundRequest,
    ProtocolFailed,
    TlsFailed,
    UrlRefused,
)
from tests.lib.outbound.servers import (
    OK,
    LocalServer,
    answering,
    answering_once,
    loopback_policy,
    read_request,
    self_signed,
)


@pytest.fixture
def http() -> OutboundClient:
    return OutboundClient(loopback_policy())


def test_request_arrives_as_given_and_answer_comes_back(http: OutboundClient) -> None:
    answer = b"HTTP/1.1 202 Accepted\r\nX-One: a\r\nx-one: b\r\nContent-Length: 7\r\n\r\n" + b'{"a":1}'
    with LocalServer(answering(answer)) as server:
        request = OutboundRequest(
            method="POST",
            url=f"{server.origin}/v1/x?y=1",
            headers=(("X-Key", "secret"), ("Content-Type", "application/json"), ("X-Empty", "")),
            body=b'{"b":2}',
            tag=object(),
        )
        response = http.request(request)
        assert server.requests == [
            f"POST /v1/x?y=1 HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            "User-Agent: Aiffinity-Platform/1.0\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n"
            "X-Key: secret\r\nContent-Type: application/json\r\nX-Empty:\r\nContent-Length: 7\r\n\r\n"
            '{"b":2}'.encode()
        ]
    assert (response.status, response.body, response.json()) == (202, b'{"a":1}', {"a": 1})
    assert response.headers["X-ONE"] == "a, b"
    assert dict(response.headers) == {"x-one": "a, b", "content-length": "7"}
    assert response.effective_ip == "127.0.0.1"
    assert 0 < response.elapsed_ms < 5000
    assert response.is_success


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_methods_without_a_body_send_none(http: OutboundClient, method: str) -> None:
    with LocalServer(answering(OK)) as server:
        http.request(OutboundRequest(method="POST", url=server.origin, body=b"before"))
        assert http.request(OutboundRequest(method=method, url=server.origin)).body == b"ok"
        assert server.requests[1].startswith(f"{method} / HTTP/1.1\r\n".encode())
        assert b"content-length" not in server.requests[1].lower()
        assert server.requests[1].endswith(b"\r\n\r\n")
        assert server.connections == 1


def test_head_answers_without_a_body_and_leaves_no_trace(http: OutboundClient) -> None:
    def handle(connection: socket.socket, server: LocalServer) -> None:
        while request := read_request(connection, server):
            connection.sendall(OK[:-2] if request.startswith(b"HEAD ") else OK)

    with LocalServer(handle) as server:
        response = http.request(OutboundRequest(method="HEAD", url=server.origin))
        assert (response.status, response.body, response.headers["content-length"]) == (200, b"", "2")
        for method, body in (("GET", b""), ("POST", b"x"), ("PUT", b""), ("PATCH", b""), ("DELETE", b"x")):
            http.request(OutboundRequest(method="HEAD", url=server.origin))
            assert http.request(OutboundRequest(method=method, url=server.origin, body=body)).body == b"ok"
        assert server.connections == 1


def test_header_of_the_last_request_is_not_sent_with_the_next(http: OutboundClient) -> None:
    with LocalServer(answering(OK)) as server:
        http.request(OutboundRequest(method="GET", url=server.origin, headers=(("X-Key", "secret"),)))
        http.request(OutboundRequest(method="GET", url=server.origin))
        assert server.connections == 1
        assert b"secret" in server.requests[0]
        assert b"X-Key" not in server.requests[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Key", "a\r\nX-Other: b"),
        ("X-Key", "a\nb"),
        ("X-Key", "a\rb"),
        ("X-Key", "a\x00b"),
        ("X-Key", "\u00e9"),
        ("X-Key", "a" * 8193),
        ("X-Key\r\nX-Other", "b"),
        ("X Key", "b"),
        ("X-Key:", "b"),
        ("X-Key;", "b"),
        ("", "b"),
        ("Host", "other.example.com"),
        ("content-length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Cookie", "a=b"),
        ("Connection", "close"),
        ("Expect", "100-continue"),
        ("Proxy-Authorization", "Basic x"),
    ],
)
def test_dangerous_header_is_refused_and_nothing_is_sent(http: OutboundClient, name: str, value: str) -> None:
    with LocalServer(answering(OK)) as server:
        with pytest.raises(OutboundRefused) as refused:
            http.request(OutboundRequest(method="GET", url=server.origin, headers=((name, value),)))
        assert refused.value.rule == "header"
        assert server.connections == 0


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"method": "TRACE"}, "method"),
        ({"method": "GET / HTTP/1.1\r\nX: y"}, "method"),
        ({"method": "HEAD", "body": b"x"}, "body"),
        ({"timeout_ms": 0}, "time_limit"),
        ({"connect_timeout_ms": -1}, "time_limit"),
    ],
)
def test_request_that_cannot_be_sent_is_refused(http: OutboundClient, changes: dict, rule: str) -> None:
    values = {"method": "GET", "url": "http://127.0.0.1:1/", **changes}
    with pytest.raises(OutboundRefused) as refused:
        http.request(OutboundRequest(**values))
    assert refused.value.rule == rule


def test_url_is_judged_again_at_send() -> None:
    with pytest.raises(UrlRefused) as refused:
        OutboundClient(loopback_policy()).request(OutboundRequest(method="GET", url="http://10.0.0.1/"))
    assert refused.value.rule == "scheme"


def test_redirect_is_returned_and_not_followed(http: OutboundClient) -> None:
    with LocalServer(answering(OK)) as target:
        answer = f"HTTP/1.1 302 Found\r\nLocation: {target.origin}/x\r\nContent-Length: 0\r\n\r\n".encode()
        with LocalServer(answering(answer)) as server:
            response = http.request(OutboundRequest(method="GET", url=server.origin))
        assert (response.status, response.headers["location"]) == (302, f"{target.origin}/x")
        assert target.connections == 0


def test_connection_is_kept_across_calls(http: OutboundClient) -> None:
    with LocalServer(answering(OK)) as server:
        for _ in range(100):
            http.request(OutboundRequest(method="POST", url=server.origin, body=b"x"))
        assert (len(server.requests), server.connections) == (100, 1)


def test_connections_are_kept_across_threads(http: OutboundClient) -> None:
    request_body = b"x"
    with LocalServer(answering(OK)) as server:

        def send(_: int) -> int:
            request = OutboundRequest(method="POST", url=server.origin, body=request_body)
            return http.request(request).status

        for _ in range(4):
            with ThreadPoolExecutor(4) as threads:
                assert list(threads.map(send, range(25))) == [200] * 25
        assert len(server.requests) == 100
        assert server.connections <= 4


def test_cookies_are_not_kept(http: OutboundClient) -> None:
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: session=1; Path=/\r\nContent-Length: 0\r\n\r\n"
    with LocalServer(answering(answer)) as server:
        for _ in range(3):
            http.request(OutboundRequest(method="GET", url=server.origin))
        assert [b"cookie" in request.lower() for request in server.requests] == [False, False, False]


def test_proxies_and_netrc_of_the_environment_are_ignored(monkeypatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("default login user password secret\n")
    with LocalServer(answering(OK)) as proxy, LocalServer(answering(OK)) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.origin)
        monkeypatch.setenv("HOME", str(tmp_path))
        response = OutboundClient(loopback_policy()).request(OutboundRequest(method="GET", url=server.origin))
        assert response.body == b"ok"
        assert proxy.connections == 0
        assert b"authorization" not in server.requests[0].lower()


def test_configured_proxy_is_used_whatever_the_environment_says(monkeypatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with LocalServer(answering(OK)) as proxy, LocalServer(answering(OK)) as server:
        http = OutboundClient(loopback_policy(proxy=proxy.origin))
        assert http.request(OutboundRequest(method="GET", url=f"{server.origin}/x")).body == b"ok"
        assert proxy.requests[0].startswith(f"GET {server.origin}/x HTTP/1.1\r\n".encode())
        assert server.connections == 0


def test_https_goes_through_the_configured_proxy_as_a_tunnel() -> None:
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    with LocalServer(answering_once(refusal)) as proxy:
        http = OutboundClient(loopback_policy(proxy=proxy.origin))
        with pytest.raises(ConnectFailed):
            http.request(OutboundRequest(method="GET", url="https://api.example.com/x"))
        assert proxy.requests[0].startswith(b"CONNECT api.example.com:443 HTTP/1.1\r\n")


def test_self_signed_certificate_is_refused(http: OutboundClient, tmp_path: Path) -> None:
    context, _ = self_signed(tmp_path, "localhost")
    with LocalServer(answering(OK), tls=context) as server:
        with pytest.raises(TlsFailed) as failed:
            http.request(OutboundRequest(method="GET", url=server.origin))
        assert failed.value.kind == "tls"
        assert server.requests == []


def test_certificate_of_a_trusted_bundle_is_accepted_for_its_own_name_only(tmp_path: Path) -> None:
    context, ca_file = self_signed(tmp_path, "trusted.example.com")
    with LocalServer(answering(OK), tls=context) as server:
        pins = [f"{name}.example.com:{server.port}:127.0.0.1" for name in ("trusted", "other")]
        http = OutboundClient(loopback_policy(ca_file=ca_file, pinned_names=pins, ports=[server.port]))
        trusted = f"https://trusted.example.com:{server.port}/"
        assert http.request(OutboundRequest(method="GET", url=trusted)).body == b"ok"
        assert f"Host: trusted.example.com:{server.port}".encode() in server.requests[0]
        with pytest.raises(TlsFailed):
            http.request(OutboundRequest(method="GET", url=trusted.replace("trusted", "other")))
        assert len(server.requests) == 1


def test_nobody_listening_is_a_connect_failure(http: OutboundClient) -> None:
    with socket.socket() as closed:
        # Bound but not listening, so that nobody else can listen there.
        closed.bind(("127.0.0.1", 0))
        request = OutboundRequest(method="GET", url=f"http://127.0.0.1:{closed.getsockname()[1]}/secret")
        with pytest.raises(ConnectFailed) as failed:
            http.request(request)
    assert failed.value.kind == "connect"
    assert "secret" not in str(failed.value)


def test_request_that_must_not_arrive_twice_is_not_resent_on_a_dead_connection(http: OutboundClient) -> None:
    def handle(connection: socket.socket, server: LocalServer) -> None:
        read_request(connection, server)
        connection.sendall(OK)
        # The server acts on the second request of a connection, too, and dies before it answers.
        read_request(connection, server)

    with LocalServer(handle) as server:
        http.request(OutboundRequest(method="POST", url=server.origin, body=b"first"))
        http.request(OutboundRequest(method="POST", url=server.origin, body=b"once", can_resend=False))
        assert [request[-5:] for request in server.requests] == [b"first", b"\nonce"]
    with LocalServer(handle) as server:
        http.request(OutboundRequest(method="POST", url=server.origin, body=b"first"))
        http.request(OutboundRequest(method="POST", url=server.origin, body=b"again"))
        assert [request[-5:] for request in server.requests] == [b"first", b"again", b"again"]


def test_child_process_does_not_disturb_its_parents_connection(tmp_path: Path) -> None:
    context, ca_file = self_signed(tmp_path, "localhost")
    with LocalServer(answering(OK), tls=context) as server:
        http = OutboundClient(loopback_policy(ca_file=ca_file))
        request = OutboundRequest(method="GET", url=server.origin)
        http.request(request)
        child = os.fork()
        if child == 0:
            is_ok = http.request(request).body == b"ok"
            http.close()
            os._exit(0 if is_ok else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert server.connections == 2
        assert http.request(request).body == b"ok"
        assert server.connections == 2


def test_close_drops_idle_connections_and_the_client_stays_usable(http: OutboundClient) -> None:
    has_ended = threading.Event()

    def handle(connection: socket.socket, server: LocalServer) -> None:
        answering(OK)(connection, server)
        has_ended.set()

    with LocalServer(handle) as server:
        request = OutboundRequest(method="GET", url=server.origin)
        http.request(request)
        http.close()
        assert has_ended.wait(5)
        assert http.request(request).body == b"ok"
        assert server.connections == 2


def test_repr_and_answers_show_no_secret(http: OutboundClient) -> None:
    with LocalServer(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")) as server:
        request = OutboundRequest(
            method="POST",
            url=f"{server.origin}/?key=secret",
            headers=(("X-Key", "secret"),),
            body=b"secret",
        )
        response = http.request(request)
    assert "secret" not in repr(request) + repr(response)
    with pytest.raises(ProtocolFailed) as failed:
        response.json()
    assert failed.value.message == "The answer is not JSON."
