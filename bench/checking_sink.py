"""A webhook endpoint of its own process that checks every delivery: `python -m bench.checking_sink`.

It prints its port, verifies both kinds of signatures with the secret in SINK_SECRET, and tells what it saw at
GET /report.
"""

import asyncio
import hashlib
import hmac
import json
import os
import sys
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

HOST = "127.0.0.1"


class Sink:
    """What was received so far, and what was wrong with it."""

    def __init__(self, secret: str) -> None:
        self.secret = secret.encode()
        self.standard = Webhook(secret)
        self.counts: dict[str, int] = {}
        self.digests: dict[str, str] = {}
        self.bad_signatures = 0
        self.changed_bodies = 0

    def take(self, headers: dict[str, str], body: bytes) -> None:
        """Verify one delivery and count it by the event's id."""
        if not self.is_signed(headers, body):
            self.bad_signatures += 1
            return
        event_id = json.loads(body)["id"]
        digest = hashlib.sha256(body).hexdigest()
        self.changed_bodies += self.digests.setdefault(event_id, digest) != digest
        self.counts[event_id] = self.counts.get(event_id, 0) + 1

    def is_signed(self, headers: dict[str, str], body: bytes) -> bool:
        """Say whether the documents' header and the Standard Webhooks' headers both verify."""
        expected = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        try:
            self.standard.verify(body, headers, json_parse=False)
        except WebhookVerificationError:
            return False
        return hmac.compare_digest(expected, headers.get("x-aiffinity-signature", ""))

    def report(self) -> dict[str, Any]:
        """Tell what was received."""
        return {
            "event_ids": sorted(self.counts),
            "received": sum(self.counts.values()),
            "bad_signatures": self.bad_signatures,
            "changed_bodies": self.changed_bodies,
        }

    def answer(self, request_line: str, headers: dict[str, str], body: bytes) -> bytes:
        """Act on a request and return the answer's body."""
        method, path, _ = request_line.split(" ")
        if method == "GET" and path == "/count":
            return json.dumps({"events": len(self.counts)}).encode()
        if method == "GET":
            return json.dumps(self.report()).encode()
        self.take(headers, body)
        return b'{"received": true}'

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one kept connection until it ends, also in the middle of a request."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                pairs = (line.partition(":") for line in head[1:] if line)
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                content = self.answer(head[0], headers, body)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def main() -> None:
    """Listen on a free port until the process is ended."""
    sink = Sink(os.environ["SINK_SECRET"])
    server = await asyncio.start_server(sink.serve, HOST, 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
