"""Run Acme Weather: `python -m examples.acme_weather --port 8100`."""

import argparse
import json
import os
import signal
import sys

from examples.acme_weather.provider import DEFAULT_SIGNATURE_HEADER, AcmeServer
from examples.acme_weather.store import Store


def main() -> None:
    """Serve until a signal ends it; the first line on stdout is JSON and tells the port."""
    options = parse_options()
    # sys.exit unwinds the accept loop, which a plain termination would leave half way.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = AcmeServer(
        (options.host, options.port),
        signing_secret=options.signing_secret,
        signature_header=options.signature_header,
        store=Store(options.state_file),
    )
    url = f"http://{options.host}:{server.server_port}"
    print(json.dumps({"ready": True, "port": server.server_port, "url": url}), flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        sys.exit(0)
    finally:
        server.server_close()


def parse_options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m examples.acme_weather", description="Run Acme Weather.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--signing-secret", default=os.environ.get("ACME_SIGNING_SECRET", ""))
    parser.add_argument("--signature-header", default=DEFAULT_SIGNATURE_HEADER, help="of webhooks")
    parser.add_argument("--state-file", default=":memory:", help="SQLite file for tasks and events")
    return parser.parse_args()


if __name__ == "__main__":
    main()
