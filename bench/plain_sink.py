"""A server that answers 200 to everything as fast as Python can, so that it is never what is measured.

It prints its port. Each answer is counted; a GET tells the count.
"""

import asyncio
import json
import sys

HOST = "127.0.0.1"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Sink(asyncio.Protocol):
    """One kept connection; requests come one after another, each whole or in pieces."""

    count = 0

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request that has come."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._buffer) < end + 4 + length:
                return
            is_question = self._buffer.startswith(b"GET")
            self._buffer = self._buffer[end + 4 + length :]
            self._answer(is_question=is_question)

    def _answer(self, *, is_question: bool) -> None:
        if is_question:
            content = json.dumps({"events": Sink.count}).encode()
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content))  # type: ignore[attr-defined]
            return
        Sink.count += 1
        self._transport.write(OK)  # type: ignore[attr-defined]


async def main() -> None:
    """Listen on a free port until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Sink, HOST, 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
