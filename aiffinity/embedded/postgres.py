"""A private PostgreSQL server below the data folder, reached by a Unix socket only."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from aiffinity.embedded import processes
from aiffinity.embedded.addresses import (
    DATABASE_NAME,
    DATABASE_USER,
    POSTGRES_PORT,
    POSTGRES_SOCKET_NAME,
)
from aiffinity.embedded.postgres_binaries import find_binaries, server_identity
from aiffinity.embedded.server import EmbeddedServer, EmbeddedServerError

MAX_CONNECTIONS = 100
ORPHANS_TIMEOUT_SECONDS = 15


class PostgresServer(EmbeddedServer):
    """The PostgreSQL server of one data folder, with the platform's database in it."""

    name = "PostgreSQL"
    url_variable = "DATABASE_URL"
    pid_file_name = "postmaster.pid"

    def start(self) -> None:
        """Make sure that the server runs and the platform's database exists; raise EmbeddedServerError."""
        if not self._is_reusable():
            self._clear_stale_locks()
            binaries = find_binaries(self.folder)
            if not self.folder.exists():
                self._initialise(binaries)
            self._take_ownership(self.folder)
            self._launch(binaries)
        self._create_database()

    def stop(self) -> None:
        """End all connections and the server (PostgreSQL's fast shutdown)."""
        pid = self.running_pid()
        if pid is not None:
            os.kill(pid, signal.SIGINT)
            self._await_end(pid)

    def answers(self) -> bool:
        """Return whether the server takes connections."""
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _clear_stale_locks(self) -> None:
        """Remove what a killed server left, where its process id belongs to another process by now.

        PostgreSQL removes stale lock files by itself unless their process id is in use. The processes of a
        killed postmaster end by themselves, and the data must not be opened again before that.
        """
        if not processes.wait_until(
            lambda: not processes.processes_in(self.folder), timeout_seconds=ORPHANS_TIMEOUT_SECONDS
        ):
            pids = " ".join(map(str, processes.processes_in(self.folder)))
            raise self._error(f"was killed, but processes of it still run; end them (kill {pids})")
        for path in (self.pid_path, self.socket_dir / f"{POSTGRES_SOCKET_NAME}.lock"):
            pid = processes.read_pid(path)
            if pid is not None and processes.is_pid_taken(pid):
                path.unlink()

    def _initialise(self, binaries: Path) -> None:
        """Make the data under another name first, so that a killed attempt leaves nothing half made."""
        unfinished = self.folder.with_name(f"{self.folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._take_ownership(unfinished)
        identity = server_identity()
        locale = "C.UTF-8" if sys.platform == "linux" else "C"
        command = [str(binaries / "initdb"), "-N", "-A", "trust", "-E", "UTF8", f"--locale={locale}"]
        done = subprocess.run(  # noqa: S603  The command is our own list.
            [*identity.prefix, *command, "-U", DATABASE_USER, "-D", str(unfinished)],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            user=identity.user,
        )
        if done.returncode != 0:
            raise EmbeddedServerError(
                f"{binaries / 'initdb'} failed:\n{done.stdout}{done.stderr}"
                "Start the platform as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own."
            )
        unfinished.rename(self.folder)

    def _take_ownership(self, folder: Path) -> None:
        """Give the folders to the user that the server runs as; only root may run it as another one."""
        if os.geteuid() != 0:
            return
        owner = server_identity().file_owner
        for top in (folder, self.socket_dir):
            if top.owner() != owner:
                for path in [top, *top.rglob("*")]:
                    shutil.chown(path, owner)

    def _launch(self, binaries: Path) -> None:
        command = [str(binaries / "postgres"), "-D", str(self.folder)]
        for name, value in self._configuration().items():
            command += ["-c", f"{name}={value}"]
        if self.is_tied:
            command = processes.tied(command, death_signal=signal.SIGINT)
        identity = server_identity()
        self._await_answer(
            processes.spawn([*identity.prefix, *command], log_path=self.log_path, cwd=self.folder, user=identity.user)
        )

    def _configuration(self) -> dict[str, str]:
        configuration = {
            "listen_addresses": "",
            "port": str(POSTGRES_PORT),
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
            "max_connections": str(MAX_CONNECTIONS),
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
        }
        if not self.durable:
            configuration |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return configuration

    def _create_database(self) -> None:
        with contextlib.closing(self._connect()) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME])
            if known.fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE_NAME)))

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=str(self.socket_dir),
            port=POSTGRES_PORT,
            user=DATABASE_USER,
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        )
