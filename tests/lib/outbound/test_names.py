"""The shared look-ups of names."""

import socket
import threading

from aiffinity.lib.outbound.names import MAX_PENDING, NameResolver


def answer_with(*addresses: str) -> list:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]


def test_all_who_ask_share_one_look_up(monkeypatch) -> None:
    may_end = threading.Event()
    calls: list[bytes] = []

    def look_up(host: bytes, *_: object, **__: object) -> list:
        calls.append(host)
        may_end.wait(10)
        return answer_with("192.0.2.1", "192.0.2.2", "192.0.2.1")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    resolver = NameResolver()
    answers = [resolver.ask("api.example.com") for _ in range(10)]
    assert not answers[0].done()
    may_end.set()
    assert [answer.result(5) for answer in answers] == [("192.0.2.1", "192.0.2.2")] * 10
    assert resolver.ask("api.example.com").result(0) == ("192.0.2.1", "192.0.2.2")
    assert calls == [b"api.example.com"]


def test_answers_expire(monkeypatch) -> None:
    calls: list[bytes] = []

    def look_up(host: bytes, *_: object, **__: object) -> list:
        calls.append(host)
        return answer_with("192.0.2.1")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr("aiffinity.lib.outbound.names.KEEP_SECONDS", 0.0)
    resolver = NameResolver()
    for _ in range(3):
        assert resolver.ask("api.example.com").result(5) == ("192.0.2.1",)
    assert calls == [b"api.example.com"] * 3


def test_too_many_pending_names_are_turned_away_and_the_rest_recovers(monkeypatch) -> None:
    may_end = threading.Event()

    def look_up(host: bytes, *_: object, **__: object) -> list:
        may_end.wait(10)
        return answer_with("192.0.2.1")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    resolver = NameResolver()
    pending = [resolver.ask(f"api{number}.example.com") for number in range(MAX_PENDING)]
    assert resolver.ask("late.example.com").result(0) == ()
    may_end.set()
    assert {answer.result(5) for answer in pending} == {("192.0.2.1",)}
    assert resolver.ask("late.example.com").result(5) == ("192.0.2.1",)


def test_name_is_asked_for_again_after_the_system_gave_no_thread(monkeypatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer_with("192.0.2.1"))
    resolver = NameResolver()

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("made up")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        patch.setattr("aiffinity.lib.outbound.names.KEEP_FAILURE_SECONDS", 0.0)
        assert resolver.ask("api.example.com").result(0) == ()
    assert resolver.ask("api.example.com").result(5) == ("192.0.2.1",)
