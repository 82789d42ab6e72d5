"""The webhook endpoints of the fault runs: good, slow, dead, dripping and bombing ones, on one port.

The path says how an endpoint behaves: `/webhooks/good`, `slow` (answers after 300 ms), `dead` (500), `hang` (never
answers), `down` (500 until POST /up), `drip` (a byte of the head every 100 ms), `bomb` (200 MB that gzip to 200 KB)
and `endless` (a body that never ends). Every delivery is verified and counted before the answer. Execute calls below
`/good` are answered, those below `/hang` never.
"""

import asyncio
import contextlib
import gzip
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from bench.checking_sink import HOST, Sink

SLOW_SECONDS = 0.3
DRIP_SECONDS = 0.1
BOMB_MEGABYTES = 200
CHUNK = b"x" * 65_536
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
EXECUTED = b'{"status":"ok","data":{"celsius":4.5}}'
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\n{}"


class FaultSink(Sink):
    """Counts by behaviour too, with the seconds from the event's creation to its first arrival."""

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self.delays: dict[str, list[float]] = {}
        self.is_down = True
        self.accepted: dict[str, int] = {}
        self.bomb = gzip.compress(b"\0" * 1_048_576 * BOMB_MEGABYTES)

    def note(self, behaviour: str, headers: dict[str, str], body: bytes) -> None:
        """Verify one delivery; an event's first arrival gives its delay."""
        content = json.loads(body)
        if content["id"] not in self.counts:
            created_at = datetime.fromisoformat(content["created_at"]).timestamp()
            self.delays.setdefault(behaviour, []).append(time.time() - created_at)
        self.take(headers, body)

    def report(self) -> dict[str, Any]:
        """Tell the counts, how often each event was answered with 200 at the `down` endpoints, and the delays."""
        return {**super().report(), "accepted": self.accepted, "delays": self.delays}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one kept connection until it ends."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                pairs = (line.partition(":") for line in head[1:] if line)
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, path, _ = head[0].split(" ")
                if method == "GET":
                    content = json.dumps(self.report()).encode()
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content))
                    await writer.drain()
                elif path == "/up":
                    self.is_down = False
                    await self._good(writer)
                elif path.endswith("/execute"):
                    await self._execute(path.split("/")[1], writer)
                else:
                    await self._receive(path.rpartition("/")[2], headers, body, writer)
        writer.close()

    async def _receive(
        self, behaviour: str, headers: dict[str, str], body: bytes, writer: asyncio.StreamWriter
    ) -> None:
        self.note(behaviour, headers, body)
        if behaviour == "down" and not self.is_down:
            event_id = json.loads(body)["id"]
            self.accepted[event_id] = self.accepted.get(event_id, 0) + 1
            behaviour = "good"
        answers: dict[str, Callable[[asyncio.StreamWriter], Awaitable[None]]] = {
            "slow": self._slow,
            "dead": self._dead,
            "down": self._dead,
            "hang": self._drip_nothing,
            "drip": self._drip,
            "bomb": self._bomb,
            "endless": self._endless,
        }
        await answers.get(behaviour, self._good)(writer)

    async def _execute(self, behaviour: str, writer: asyncio.StreamWriter) -> None:
        if behaviour == "hang":
            await self._drip_nothing(writer)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(EXECUTED)}\r\n\r\n"
        writer.write(head.encode() + EXECUTED)
        await writer.drain()

    async def _good(self, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await writer.drain()

    async def _slow(self, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(SLOW_SECONDS)
        await self._good(writer)

    async def _dead(self, writer: asyncio.StreamWriter) -> None:
        writer.write(FAILED)
        await writer.drain()

    async def _drip_nothing(self, writer: asyncio.StreamWriter) -> None:
        await self._until_closed(writer, b"")

    async def _drip(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        await self._until_closed(writer, b"x")

    async def _until_closed(self, writer: asyncio.StreamWriter, piece: bytes) -> None:
        while not writer.transport.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(DRIP_SECONDS)
        raise ConnectionResetError

    async def _bomb(self, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(self.bomb)}\r\n\r\n"
        writer.write(head.encode() + self.bomb)
        await writer.drain()

    async def _endless(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            writer.write(CHUNK)
            await writer.drain()


async def main() -> None:
    """Listen on a free port until the process is ended."""
    server = await asyncio.start_server(FaultSink(os.environ["SINK_SECRET"]).serve, HOST, 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
