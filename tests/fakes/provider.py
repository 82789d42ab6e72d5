"""A provider for tests: a real HTTP server on loopback with a switch for everything that can go wrong."""

import threading
from collections.abc import Callable
from typing import Any, Self

from examples.acme_weather.capabilities import Capabilities
from examples.acme_weather.json_http import JsonServer
from examples.acme_weather.store import Store
from tests.fakes.provider_http import FakeHandler
from tests.fakes.recording import RecordedRequest, Recording
from tests.fakes.switches import Switches, WebhookStep


class FakeProvider(Switches):
    """A running provider: `with FakeProvider() as provider: provider.hang = True`.

    Without a switch it behaves like Acme Weather. `answers[name]` replaces a capability or adds
    one: a dict is merged over `{"status": "ok", "data": {}, "ttl": 900}`, a callable gets the
    Call and returns such a dict or a Reply. The platform gets `runtime_url`, `health_check_url`
    and `webhook_url`.
    """

    def __init__(self, **switches: Any) -> None:
        super().__init__(**switches)
        self.recording = Recording()
        self.store = Store()
        self.capabilities = Capabilities(self.store)
        self.stopping = threading.Event()
        self._script_lock = threading.Lock()
        self._server: FakeServer | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.store.close()

    def start(self) -> None:
        """Listen on a free port, or on the one of before; does nothing while it runs."""
        if self._server is not None:
            return
        self.stopping.clear()
        self._server = FakeServer(self, self.port)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Refuse and cut every connection, as a server that went down; `start` brings it back."""
        if self._server is None or self._thread is None:
            return
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.drop_connections()
        self._server = None

    def reset(self) -> None:
        """Put every switch back and forget the requests; the address stays."""
        vars(self).update(vars(Switches()))
        self.recording.clear()

    @property
    def url(self) -> str:
        """The origin, with its port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def runtime_url(self) -> str:
        """The base of execute calls."""
        return f"{self.url}/aiffinity"

    @property
    def health_check_url(self) -> str:
        """Where health is asked."""
        return f"{self.url}/health"

    @property
    def webhook_url(self) -> str:
        """The webhook sink; every path below it is one too, and may have a secret of its own."""
        return f"{self.url}/webhooks"

    @property
    def requests(self) -> list[RecordedRequest]:
        """All requests so far, oldest first."""
        return self.recording.all()

    def requests_to(self, route: str) -> list[RecordedRequest]:
        """Return the requests to execute, health, webhooks or other, oldest first."""
        return self.recording.all(route)

    def wait_for(self, predicate: Callable[[RecordedRequest], bool], timeout: float = 5.0) -> RecordedRequest:
        """Return the first request that fits, waiting for it; raises TimeoutError telling what came."""
        return self.recording.wait_for_count(1, predicate, timeout)[0]

    def wait_for_count(
        self, count: int, predicate: Callable[[RecordedRequest], bool], timeout: float = 5.0
    ) -> list[RecordedRequest]:
        """Return the requests that fit once there are that many; raises TimeoutError telling what came."""
        return self.recording.wait_for_count(count, predicate, timeout)

    def secret_for(self, path: str) -> str:
        """Return the signing secret of a path."""
        return self.secrets_by_path.get(path, self.signing_secret)

    def next_webhook_step(self) -> WebhookStep:
        """Take the next step of the script."""
        with self._script_lock:
            step = self.webhook_script.pop(0) if self.webhook_script else WebhookStep()
        return WebhookStep(status_code=step) if isinstance(step, int) else step


class FakeServer(JsonServer):
    """The server of one fake provider."""

    def __init__(self, provider: FakeProvider, port: int) -> None:
        self.provider = provider
        super().__init__(("127.0.0.1", port), FakeHandler)
