"""Limits of one exchange and its connect-time check, against servers that break every rule."""

import os
import resource
import socket
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pycurl
import pytest

from aiffinity.lib.outbound import (
    AddressRefused,
    AnswerTooLarge,
    ConnectFailed,
    EgressPolicy,
    OutboundClient,
    OutboundRequest,
    OutboundTimeout,
    ProtocolFailed,
)
from aiffinity.lib.outbound.transfer import Transfer
from aiffinity.lib.outbound.urls import parse_url
from tests.lib.outbound.servers import (
    OK,
    LocalServer,
    answering,
    answering_once,
    hanging,
    loopback_policy,
    read_request,
    self_signed,
)

MEBIBYTE = 1_048_576


@pytest.fixture
def http() -> OutboundClient:
    return OutboundClient(loopback_policy())


def get(server: LocalServer, **changes: object) -> OutboundRequest:
    values: dict = {"method": "GET", "url": server.origin, **changes}
    return OutboundRequest(**values)


# The connect-time check ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "addresses",
    [
        "127.0.0.1",
        "[::ffff:127.0.0.1]",
        "127.0.0.1,[::1],[::ffff:127.0.0.1]",
        "0.0.0.0",  # noqa: S104 - Linux connects it to this machine.
    ],
)
def test_name_that_leads_to_loopback_reaches_nothing(addresses: str) -> None:
    with LocalServer(answering(OK)) as server:
        policy = EgressPolicy.parse(
            ports=[server.port], pinned_names=[f"rebound.example.com:{server.port}:{addresses}"]
        )
        with pytest.raises(AddressRefused) as refused:
            OutboundClient(policy).request(
                OutboundRequest(method="GET", url=f"https://rebound.example.com:{server.port}/")
            )
        assert refused.value.rule == "private_address"
        assert refused.value.kind == "refused"
        assert server.connections == 0


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "169.254.169.254", "100.64.0.1", "192.0.2.1", "[fd00::1]", "[64:ff9b::a00:1]"]
)
def test_name_that_leads_to_a_private_network_is_refused_at_once(address: str) -> None:
    policy = EgressPolicy.parse(pinned_names=[f"inside.example.com:443:{address}"])
    request = OutboundRequest(method="GET", url="https://inside.example.com/")
    started = time.monotonic()
    with pytest.raises(AddressRefused):
        OutboundClient(policy).request(request)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("addresses", ["127.0.0.1,127.0.0.2", "127.0.0.2,127.0.0.1"])
def test_of_mixed_addresses_only_the_admitted_one_is_connected_to(tmp_path: Path, addresses: str) -> None:
    context, ca_file = self_signed(tmp_path, "mixed.example.com")
    with LocalServer(answering(OK)) as refused:
        with LocalServer(answering(OK), tls=context, address=("127.0.0.2", refused.port)) as admitted:
            policy = EgressPolicy.parse(
                allow=["127.0.0.2/32"],
                ports=[refused.port],
                ca_file=ca_file,
                pinned_names=[f"mixed.example.com:{refused.port}:{addresses}"],
            )
            url = f"https://mixed.example.com:{refused.port}/"
            response = OutboundClient(policy).request(OutboundRequest(method="GET", url=url))
            assert (response.body, response.effective_ip, admitted.connections) == (b"ok", "127.0.0.2", 1)
        assert refused.connections == 0


def test_allow_listed_name_reaches_its_private_address() -> None:
    with LocalServer(answering(OK)) as server:
        policy = EgressPolicy.parse(
            allow=[f"provider.test:{server.port}"],
            is_http_allowed=True,
            pinned_names=[f"provider.test:{server.port}:127.0.0.1"],
        )
        request = OutboundRequest(method="GET", url=f"http://provider.test:{server.port}/")
        assert OutboundClient(policy).request(request).body == b"ok"


# Time ------------------------------------------------------------------------------------------------------


def drip_body(connection: socket.socket, server: LocalServer) -> None:
    read_request(connection, server)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not server.is_stopping.wait(0.05):
        connection.sendall(b"x")


def drip_headers(connection: socket.socket, server: LocalServer) -> None:
    read_request(connection, server)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not server.is_stopping.wait(0.05):
        connection.sendall(b"x")


def drip_interim_answers(connection: socket.socket, server: LocalServer) -> None:
    read_request(connection, server)
    while not server.is_stopping.wait(0.05):
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")


@pytest.mark.parametrize("handle", [hanging, drip_body, drip_headers, drip_interim_answers])
def test_slow_answer_is_cut_at_the_deadline(http: OutboundClient, handle) -> None:
    with LocalServer(handle) as server:
        started = time.monotonic()
        with pytest.raises(OutboundTimeout) as failed:
            http.request(get(server, timeout_ms=600))
        assert 0.55 < time.monotonic() - started < 1.1
        assert failed.value.kind == "timeout"
        assert 550 < failed.value.elapsed_ms < 1100


def test_body_that_nobody_reads_is_cut_at_the_deadline(http: OutboundClient) -> None:
    def ignore(connection: socket.socket, server: LocalServer) -> None:
        server.is_stopping.wait(30)

    with LocalServer(ignore) as server:
        started = time.monotonic()
        with pytest.raises(OutboundTimeout):
            http.request(get(server, method="POST", body=b"x" * 20_000_000, timeout_ms=500))
        assert time.monotonic() - started < 1.0


def test_connection_that_is_never_accepted_is_cut_at_the_connect_limit(http: OutboundClient) -> None:
    # A listener with a full queue drops further attempts to connect.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        started = time.monotonic()
        with pytest.raises(OutboundTimeout):
            http.request(
                OutboundRequest(
                    method="GET",
                    url=f"http://127.0.0.1:{address[1]}/",
                    timeout_ms=900,
                    connect_timeout_ms=300,
                )
            )
        assert time.monotonic() - started < 1.4
        for filler in fillers:
            filler.close()


# Size ------------------------------------------------------------------------------------------------------


def gzip_of_zeros(mebibytes: int) -> Iterator[bytes]:
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    for _ in range(mebibytes):
        yield compressor.compress(bytes(MEBIBYTE))
    yield compressor.flush()


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip"])
def test_gzip_bomb_is_cut_before_it_fills_memory(http: OutboundClient, encoding: str) -> None:
    bomb = b"".join(gzip_of_zeros(50))
    if encoding == "gzip, gzip":
        bomb = zlib.compress(bomb, 9, 31)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    with LocalServer(answering_once(head + bomb)) as server:
        highest_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        tracemalloc.start()
        try:
            with pytest.raises(AnswerTooLarge) as failed:
                http.request(get(server))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        highest_after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert failed.value.kind == "too_large"
    assert peak < 4 * MEBIBYTE
    assert (highest_after - highest_before) * 1024 < 32 * MEBIBYTE


def send_endlessly(connection: socket.socket, server: LocalServer) -> None:
    read_request(connection, server)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not server.is_stopping.is_set():
        connection.sendall(b"x" * 65_536)


def test_endless_body_is_cut_at_the_cap(http: OutboundClient) -> None:
    with LocalServer(send_endlessly) as server, pytest.raises(AnswerTooLarge):
        http.request(get(server))


def test_endless_body_is_answered_up_to_the_cap_where_the_caller_takes_that(http: OutboundClient) -> None:
    with LocalServer(send_endlessly) as server:
        response = http.request(get(server, max_response_bytes=2048, can_truncate=True))
    assert (response.status, len(response.body), response.is_truncated) == (200, 2048, True)


def test_body_of_exactly_the_cap_is_whole(http: OutboundClient) -> None:
    with LocalServer(answering(OK)) as server:
        response = http.request(get(server, max_response_bytes=2))
        assert (response.body, response.is_truncated) == (b"ok", False)
        with pytest.raises(AnswerTooLarge):
            http.request(get(server, max_response_bytes=1))


def test_compressed_answer_is_decompressed(http: OutboundClient) -> None:
    packed = zlib.compress(b"hello " * 100, 9, 31)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    with LocalServer(answering(head + packed)) as server:
        assert http.request(get(server)).body == b"hello " * 100


def many_headers(connection: socket.socket, server: LocalServer) -> None:
    read_request(connection, server)
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 5000 + b"Content-Length: 0\r\n\r\n")


def one_long_header(connection: socket.socket, server: LocalServer) -> None:
    read_request(connection, server)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-A: " + b"1" * 500_000 + b"\r\nContent-Length: 0\r\n\r\n")


def endless_interim_answers(connection: socket.socket, server: LocalServer) -> None:
    read_request(connection, server)
    while not server.is_stopping.is_set():
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)


def endless_trailers(connection: socket.socket, server: LocalServer) -> None:
    read_request(connection, server)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n")
    while not server.is_stopping.is_set():
        connection.sendall(b"X-A: 1\r\n" * 100)


@pytest.mark.parametrize("handle", [many_headers, one_long_header, endless_interim_answers, endless_trailers])
def test_giant_headers_are_refused(http: OutboundClient, handle) -> None:
    with LocalServer(handle) as server, pytest.raises(AnswerTooLarge) as failed:
        http.request(get(server))
    assert "headers" in failed.value.message


def test_trailers_and_interim_answers_are_no_headers(http: OutboundClient) -> None:
    answer = (
        b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nX-Final: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n"
    )
    with LocalServer(answering(answer)) as server:
        response = http.request(get(server))
    assert (response.status, response.body) == (200, b"ok")
    assert dict(response.headers) == {"x-final": "1", "transfer-encoding": "chunked"}


# Broken answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX-A: 1",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: secret\r\nContent-Length: 2\r\n\r\nok",
        b"SSH-2.0-OpenSSH\r\n",
        b"just text, which once was HTTP/0.9",
    ],
)
def test_broken_answer_is_a_protocol_failure(http: OutboundClient, answer: bytes) -> None:
    with LocalServer(answering_once(answer)) as server, pytest.raises(ProtocolFailed) as failed:
        http.request(get(server, timeout_ms=3000))
    assert failed.value.kind == "protocol"
    assert "secret" not in failed.value.message


def test_more_than_the_promised_length_is_not_taken_for_the_next_answer(http: OutboundClient) -> None:
    with LocalServer(answering(OK + b"HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n")) as server:
        assert [http.request(get(server)).status for _ in range(3)] == [200, 200, 200]


def test_reset_connection_is_a_protocol_failure(http: OutboundClient) -> None:
    def reset(connection: socket.socket, server: LocalServer) -> None:
        read_request(connection, server)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    with LocalServer(reset) as server, pytest.raises(ProtocolFailed):
        http.request(get(server))


# What outlives an exchange ---------------------------------------------------------------------------------


def perform(transfer: Transfer, request: OutboundRequest) -> None:
    transfer.prepare(request, parse_url(request.url, loopback_policy()))
    transfer.handle.perform()


def test_finished_handle_has_let_go_of_headers_and_body() -> None:
    with LocalServer(answering(OK)) as server:
        transfer = Transfer(loopback_policy())
        perform(transfer, get(server, method="POST", headers=(("X-Key", "secret"),), body=b"secret"))
        transfer.finish(pycurl.E_OK)
        # What is sent without new preparation shows what was left; no answer is taken any more.
        with pytest.raises(pycurl.error):
            transfer.handle.perform()
        transfer.close()
        assert [request.count(b"secret") for request in server.requests] == [2, 0]


def test_connection_is_not_inherited_by_programs_that_are_started() -> None:
    with LocalServer(answering(OK)) as server:
        transfer = Transfer(loopback_policy())
        perform(transfer, get(server))
        assert os.get_inheritable(transfer.handle.getinfo(pycurl.ACTIVESOCKET)) is False
        transfer.close()


def test_process_without_a_free_number_fails_to_connect(http: OutboundClient, monkeypatch, capfd) -> None:
    def open_socket(*_: object) -> socket.socket:
        raise OSError(24, "made up")

    monkeypatch.setattr(socket, "socket", open_socket)
    with pytest.raises(ConnectFailed):
        http.request(OutboundRequest(method="GET", url="http://127.0.0.1:1/"))
    assert capfd.readouterr().err == ""
