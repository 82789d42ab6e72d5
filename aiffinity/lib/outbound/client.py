"""The client that every other part of the platform sends with."""

import os
import threading
import weakref
from collections.abc import Generator, Iterable

import pycurl  # noqa: TID251 - The one home of the HTTP client.

from aiffinity.lib.outbound.errors import OutboundError
from aiffinity.lib.outbound.many import MultiSender, Outcome
from aiffinity.lib.outbound.messages import OutboundRequest, OutboundResponse, check_request
from aiffinity.lib.outbound.names import NameResolver
from aiffinity.lib.outbound.policy import EgressPolicy, policy_from_settings
from aiffinity.lib.outbound.pool import TransferPool
from aiffinity.lib.outbound.urls import parse_url

MAX_IDLE_SENDERS = 4


class OutboundClient:
    """Sends requests under one policy; any number of threads may share it, and it survives a fork."""

    def __init__(self, policy: EgressPolicy) -> None:
        self.policy = policy
        self._start_afresh()
        _clients.add(self)

    def _start_afresh(self) -> None:
        self._lock = threading.Lock()
        self._pool = TransferPool(self.policy)
        self._senders: list[MultiSender] = []
        self._resolver = NameResolver()

    def request(self, request: OutboundRequest) -> OutboundResponse:
        """Send one request and wait for its answer, whatever the status; raise an OutboundError if there is
        none.
        """
        check_request(request)
        url = parse_url(request.url, self.policy)
        pool = self._pool
        transfer = pool.take(url.origin)
        try:
            transfer.prepare(request, url)
            _, outcome = transfer.finish(_perform(transfer.handle))
        except BaseException:
            transfer.close()
            raise
        pool.give_back(url.origin, transfer)
        if isinstance(outcome, OutboundError):
            raise outcome
        return outcome

    def send_many(
        self, requests: Iterable[OutboundRequest | None], *, max_in_flight: int
    ) -> Generator[Outcome, None, None]:
        """Send many requests at once on this thread and yield each with its answer or error as soon as it
        ends.

        Requests are taken from the iterable only as they can start; None stands for nothing to start just
        now, and the iterable is asked again soon. Time that the caller spends between two
        results counts towards the deadlines of those in flight. Closing the iterator early breaks off what is
        in flight. Of a process that forks meanwhile only the parent may go on with it: RuntimeError in the child.
        """
        sender = self._take_sender()
        process_id = os.getpid()
        try:
            for outcome in sender.run(requests, max_in_flight=max_in_flight):
                yield outcome
                if os.getpid() != process_id:
                    message = "A child process cannot go on with its parent's requests."
                    raise RuntimeError(message)
        finally:
            if os.getpid() == process_id:
                self._give_back_sender(sender)
            else:
                _left_to_parent.append(sender)

    def close(self) -> None:
        """Close every idle connection; the client stays usable."""
        self._pool.close()
        with self._lock:
            senders, self._senders = self._senders, []
        for sender in senders:
            sender.close()

    def leave_connections_to_parent(self) -> None:
        """Forget every connection without closing it, in a child process that shares them with its parent.

        Closing a shared TLS connection would send the parent's server a goodbye that the parent knows nothing
        of.
        """
        _left_to_parent.append((self._pool, self._senders))
        self._start_afresh()

    def _take_sender(self) -> MultiSender:
        with self._lock:
            if self._senders:
                return self._senders.pop()
        return MultiSender(self.policy, self._resolver)

    def _give_back_sender(self, sender: MultiSender) -> None:
        if not sender.under_way:
            with self._lock:
                if len(self._senders) < MAX_IDLE_SENDERS:
                    self._senders.append(sender)
                    return
        sender.close()


_clients: "weakref.WeakSet[OutboundClient]" = weakref.WeakSet()
_left_to_parent: list[object] = []
_shared: OutboundClient | None = None
_shared_lock = threading.Lock()


def client() -> OutboundClient:
    """Return the process's client for the settings' policy; made at first use, and anew when the settings
    change.
    """
    global _shared  # noqa: PLW0603 - One client a process is the point: its connections are shared by all threads.
    policy = policy_from_settings()
    current = _shared
    if current is not None and current.policy == policy:
        return current
    with _shared_lock:
        if _shared is None or _shared.policy != policy:
            _shared = OutboundClient(policy)
        return _shared


def _perform(handle: pycurl.Curl) -> int:
    try:
        handle.perform()
    except pycurl.error as failure:
        return int(failure.args[0])
    return int(pycurl.E_OK)


def _after_fork_in_child() -> None:
    global _shared_lock  # noqa: PLW0603 - A thread that does not exist in the child may have held it.
    _shared_lock = threading.Lock()
    for each in list(_clients):
        each.leave_connections_to_parent()


os.register_at_fork(after_in_child=_after_fork_in_child)
