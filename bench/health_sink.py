"""The health endpoints of many apps in one process: `python -m bench.health_sink HANGING_PERCENT`.

It prints its port, notes when each app was asked by the clock of the day, and tells all at GET /report. Apps that hang
are chosen by their number; they never answer.
"""

import asyncio
import json
import sys
import time

HOST = "127.0.0.1"
BODY = b'{"status": "ok", "version": "1.0.0", "uptime_seconds": 86400, "capabilities": {"current": "healthy"}}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"


class HealthProtocol(asyncio.Protocol):
    """One kept connection; requests have no body."""

    asked_at: dict[str, list[float]] = {}
    hanging_percent = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - It is TCP.
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            self.answer(head.split(b" ", 2)[1].decode())

    def answer(self, path: str) -> None:
        """Note the request for `/health/NUMBER/ID` and answer, or tell all notes."""
        if path == "/report":
            body = json.dumps(self.asked_at).encode()
            self.transport.write(ANSWER % (len(body), body))
            return
        _, _, number, app_id = path.split("/")
        self.asked_at.setdefault(app_id, []).append(time.time())
        if int(number) % 100 >= self.hanging_percent:
            self.transport.write(ANSWER % (len(BODY), BODY))


async def main() -> None:
    """Listen on a free port until the process is ended."""
    HealthProtocol.hanging_percent = int(sys.argv[1])
    server = await asyncio.get_running_loop().create_server(HealthProtocol, HOST, 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
