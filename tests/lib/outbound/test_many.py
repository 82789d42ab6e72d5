"""Many requests at once on one thread."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from aiffinity.lib.outbound import (
    AddressRefused,
    OutboundClient,
    OutboundError,
    OutboundRequest,
    OutboundResponse,
)
from aiffinity.lib.outbound.many import MultiSender
from aiffinity.lib.outbound.names import NameResolver
from tests.lib.outbound.servers import (
    OK,
    LocalServer,
    answering,
    hanging,
    loopback_policy,
    read_request,
    self_signed,
)


def post(server: LocalServer, tag: object = None, **changes: object) -> OutboundRequest:
    values: dict = {"method": "POST", "url": server.origin, "body": b"x", "tag": tag, **changes}
    return OutboundRequest(**values)


def test_hung_request_delays_no_other() -> None:
    http = OutboundClient(loopback_policy())
    with LocalServer(hanging) as hung, LocalServer(answering(OK)) as server:
        requests = [post(hung, "hung", timeout_ms=1500), *(post(server, number) for number in range(50))]
        started = time.monotonic()
        ended = [
            (request.tag, outcome, time.monotonic() - started)
            for request, outcome in http.send_many(requests, max_in_flight=8)
        ]
    quick = [(tag, outcome.status, seconds) for tag, outcome, seconds in ended if isinstance(outcome, OutboundResponse)]
    assert {tag for tag, _, _ in quick} == set(range(50))
    assert len(quick) == 50
    assert {status for _, status, _ in quick} == {200}
    assert max(seconds for _, _, seconds in quick) < 1.0
    tag, outcome, seconds = ended[-1]
    assert tag == "hung"
    assert isinstance(outcome, OutboundError)
    assert outcome.kind == "timeout"
    assert 1.4 < seconds < 2.0
    assert server.connections <= 8


def test_each_request_gets_its_own_outcome() -> None:
    http = OutboundClient(loopback_policy())

    def echo(connection: socket.socket, server: LocalServer) -> None:
        while request := read_request(connection, server):
            body = request.partition(b"\r\n\r\n")[2]
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    with LocalServer(echo) as server:
        requests = [post(server, number, body=str(number).encode()) for number in range(300)]
        outcomes = {
            request.tag: outcome.body
            for request, outcome in http.send_many(requests, max_in_flight=32)
            if isinstance(outcome, OutboundResponse)
        }
    assert outcomes == {number: str(number).encode() for number in range(300)}


def test_refusals_and_failures_are_outcomes_too() -> None:
    http = OutboundClient(loopback_policy())
    with socket.socket() as closed, LocalServer(answering(OK)) as server:
        # Bound but not listening, so that nobody else can listen there.
        closed.bind(("127.0.0.1", 0))
        closed_port = closed.getsockname()[1]
        requests = [
            post(server, "fine"),
            post(server, "private", url="https://10.0.0.1/"),
            post(server, "header", headers=(("X-A", "a\r\nb"),)),
            post(server, "closed", url=f"http://127.0.0.1:{closed_port}/"),
            post(server, "large", max_response_bytes=1),
            post(server, "cut", max_response_bytes=1, can_truncate=True),
        ]
        kinds = {
            request.tag: outcome.kind if isinstance(outcome, OutboundError) else outcome.status
            for request, outcome in http.send_many(requests, max_in_flight=2)
        }
    assert kinds == {
        "fine": 200,
        "private": "refused",
        "header": "refused",
        "closed": "connect",
        "large": "too_large",
        "cut": 200,
    }


def test_nothing_to_send_ends_at_once() -> None:
    assert list(OutboundClient(loopback_policy()).send_many([], max_in_flight=4)) == []


def test_connections_are_kept_between_batches() -> None:
    http = OutboundClient(loopback_policy())
    with LocalServer(answering(OK)) as server:
        for _ in range(5):
            batch = [post(server) for _ in range(20)]
            assert len(list(http.send_many(batch, max_in_flight=4))) == 20
        assert len(server.requests) == 100
        assert server.connections <= 4


def test_requests_are_taken_only_as_they_can_start() -> None:
    http = OutboundClient(loopback_policy())
    taken = 0

    with LocalServer(answering(OK)) as server:

        def endless() -> Iterator[OutboundRequest]:
            nonlocal taken
            while True:
                taken += 1
                yield post(server)

        outcomes = http.send_many(endless(), max_in_flight=4)
        next(outcomes)
        assert taken <= 12
        outcomes.close()
        assert len(list(http.send_many([post(server)], max_in_flight=4))) == 1


def test_two_batches_may_run_side_by_side() -> None:
    http = OutboundClient(loopback_policy())
    with LocalServer(answering(OK)) as server:
        first = http.send_many([post(server, number) for number in range(20)], max_in_flight=4)
        second = http.send_many([post(server, number) for number in range(20)], max_in_flight=4)
        tags = [(one[0].tag, two[0].tag) for one, two in zip(first, second, strict=True)]
    assert len(tags) == 20
    assert {tag for tag, _ in tags} == {tag for _, tag in tags} == set(range(20))


def test_address_check_holds_for_batches() -> None:
    with LocalServer(answering(OK)) as server:
        policy = loopback_policy(
            allow=[],
            ports=[server.port],
            pinned_names=[f"rebound.example.com:{server.port}:127.0.0.1"],
        )
        requests = [post(server, url=f"https://rebound.example.com:{server.port}/") for _ in range(10)]
        outcomes = [outcome for _, outcome in OutboundClient(policy).send_many(requests, max_in_flight=4)]
        assert [outcome.kind for outcome in outcomes if isinstance(outcome, OutboundError)] == ["refused"] * 10
        assert server.connections == 0


def test_silent_name_servers_delay_no_other_name(monkeypatch) -> None:
    may_end = threading.Event()

    def look_up(host: bytes, *_: object, **__: object) -> list:
        if host.startswith(b"silent"):
            may_end.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "made up")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with LocalServer(answering(OK)) as server:
        names = [f"provider{number}.test" for number in range(5)]
        allow = [f"{name}:{server.port}" for name in names]
        http = OutboundClient(loopback_policy(allow=allow, ports=[443]))
        silent = [post(server, "silent", url=f"https://silent{number}.test/", timeout_ms=800) for number in range(60)]
        quick = [post(server, "quick", url=f"http://{name}:{server.port}/") for name in names]
        started = time.monotonic()
        ended = [
            (request.tag, outcome, time.monotonic() - started)
            for request, outcome in http.send_many([*silent, *quick], max_in_flight=100)
        ]
        may_end.set()
    assert [tag for tag, _, _ in ended] == ["quick"] * 5 + ["silent"] * 60
    assert {outcome.status for _, outcome, _ in ended if isinstance(outcome, OutboundResponse)} == {200}
    assert max(seconds for _, _, seconds in ended[:5]) < 0.6
    failures = [outcome for _, outcome, _ in ended if isinstance(outcome, OutboundError)]
    assert [failure.kind for failure in failures] == ["timeout"] * 60
    assert all(750 < failure.elapsed_ms < 1300 for failure in failures)


def test_looked_up_address_is_checked_like_any_other(monkeypatch) -> None:
    def look_up(host: bytes, *_: object, **__: object) -> list:
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::ffff:127.0.0.1", 0, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with LocalServer(answering(OK)) as server:
        http = OutboundClient(loopback_policy(allow=[], ports=[server.port]))
        request = post(server, url=f"https://rebound.example.com:{server.port}/")
        ((_, outcome),) = http.send_many([request], max_in_flight=4)
        assert isinstance(outcome, AddressRefused)
        assert server.connections == 0


def test_name_that_does_not_resolve_is_a_connect_failure(monkeypatch) -> None:
    calls: list[bytes] = []

    def look_up(host: bytes, *_: object, **__: object) -> list:
        calls.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "made up")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    http = OutboundClient(loopback_policy())
    requests = [OutboundRequest(method="GET", url="https://nowhere.invalid/", tag=number) for number in range(20)]
    kinds = [
        outcome.kind for _, outcome in http.send_many(requests, max_in_flight=4) if isinstance(outcome, OutboundError)
    ]
    assert kinds == ["connect"] * 20
    assert calls == [b"nowhere.invalid"]


def test_batch_that_has_nothing_to_start_for_a_while_is_asked_again() -> None:
    with LocalServer(answering(OK)) as server:
        http = OutboundClient(loopback_policy())

        def fed_late() -> Iterator[OutboundRequest | None]:
            yield post(server, "first")
            yield from [None] * 5
            yield post(server, "second")
            yield None

        started = time.monotonic()
        tags = [request.tag for request, _ in http.send_many(fed_late(), max_in_flight=4)]
        assert tags == ["first", "second"]
        assert time.monotonic() - started < 2


def test_source_is_asked_again_while_a_request_hangs_but_not_without_a_pause() -> None:
    asked_at: list[float] = []
    with LocalServer(hanging) as hung, LocalServer(answering(OK)) as server:
        http = OutboundClient(loopback_policy())

        def fed() -> Iterator[OutboundRequest | None]:
            yield post(hung, "hung", timeout_ms=3000)
            for _ in range(10):
                asked_at.append(time.monotonic())
                yield None
            yield post(server, "quick")

        tags = [request.tag for request, _ in http.send_many(fed(), max_in_flight=4)]
    assert tags == ["quick", "hung"]
    assert asked_at[-1] - asked_at[0] > 0.1


def test_limit_that_lets_nothing_start_is_refused() -> None:
    with pytest.raises(ValueError, match="At least one"):
        next(OutboundClient(loopback_policy()).send_many([], max_in_flight=0))


@pytest.mark.parametrize("does_go_on", [True, False])
def test_child_process_leaves_a_batch_to_its_parent(tmp_path: Path, does_go_on: bool) -> None:
    may_answer = threading.Event()

    def handle(connection: socket.socket, server: LocalServer) -> None:
        while request := read_request(connection, server):
            assert request.endswith(b"first") or may_answer.wait(10)
            connection.sendall(OK)

    context, ca_file = self_signed(tmp_path, "localhost")
    with LocalServer(handle, tls=context) as server:
        http = OutboundClient(loopback_policy(ca_file=ca_file))
        batch = http.send_many([post(server, body=body) for body in (b"first", b"second")], max_in_flight=2)
        next(batch)
        child = os.fork()
        if child == 0:
            has_refused = False
            try:
                if does_go_on:
                    next(batch)
            except RuntimeError:
                has_refused = True
            batch.close()
            os._exit(0 if has_refused is does_go_on else 1)
        assert os.waitpid(child, 0)[1] == 0
        may_answer.set()
        ((_, outcome),) = batch
        assert isinstance(outcome, OutboundResponse)
        assert outcome.elapsed_ms < 2000
        assert server.connections == 2


def test_look_up_that_outlives_its_sender_writes_to_nobody(monkeypatch) -> None:
    answer: Future[tuple[str, ...]] = Future()
    resolver = NameResolver()
    monkeypatch.setattr(resolver, "ask", lambda _: answer)
    sender = MultiSender(loopback_policy(), resolver)
    # Nothing is yielded before the name is known, so the sender gives up at the time limit.
    request = OutboundRequest(method="GET", url="https://slow.example.com/", timeout_ms=50)
    ((_, outcome),) = sender.run([request], max_in_flight=1)
    assert isinstance(outcome, OutboundError)
    sender.close()
    pairs = [socket.socketpair() for _ in range(8)]
    ends = [end for pair in pairs for end in pair]
    answer.set_result(("192.0.2.1",))
    for end in ends:
        end.settimeout(0)
        with pytest.raises(BlockingIOError):
            end.recv(1)
    for end in ends:
        end.close()
