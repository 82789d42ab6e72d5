"""The local servers must not disturb the tests that come after theirs."""

import socket
import threading
from contextlib import ExitStack
from pathlib import Path

from aiffinity.lib.outbound import OutboundClient, OutboundRequest
from tests.lib.outbound.servers import OK, LocalServer, answering, loopback_policy, self_signed


def test_stopped_tls_server_reads_and_writes_no_socket_that_was_opened_since(tmp_path: Path) -> None:
    numbers: list[int] = []
    has_ended = threading.Event()

    def handle(connection: socket.socket, server: LocalServer) -> None:
        numbers.append(connection.fileno())
        try:
            answering(OK)(connection, server)
        finally:
            has_ended.set()

    context, ca_file = self_signed(tmp_path, "localhost")
    http = OutboundClient(loopback_policy(ca_file=ca_file))
    with LocalServer(handle, tls=context) as server:
        assert http.request(OutboundRequest(method="GET", url=server.origin)).status == 200
    with ExitStack() as stack:
        # A new socket gets the lowest number that is free, so one of these gets the one of the server.
        pairs = [socket.socketpair() for _ in range(32)]
        ends = [stack.enter_context(end) for pair in pairs for end in pair]
        assert numbers[0] in [end.fileno() for end in ends]
        for end in ends:
            end.settimeout(0)
            end.send(b"a message of more than twenty bytes")
        http.close()
        assert has_ended.wait(5)
        assert {end.recv(100) for end in ends} == {b"a message of more than twenty bytes"}


def test_server_has_ended_all_its_threads_when_it_stops(tmp_path: Path) -> None:
    context, _ = self_signed(tmp_path, "localhost")
    before = set(threading.enumerate())
    with LocalServer(answering(OK)) as plain, LocalServer(answering(OK), tls=context) as tls:
        idle = [socket.create_connection((server.host, server.port)) for server in (plain, tls)]
    assert set(threading.enumerate()) <= before
    for connection in idle:
        connection.close()
