"""The processes of the demo: the platform and Acme Weather, on free ports, ended with the demo."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from aiffinity.embedded.dotenv import ensure_dotenv
from examples.demo.http import Caller

ROOT = Path(__file__).resolve().parent.parent.parent
READY_WITHIN_SECONDS = 60
# What would tie the demo to another platform's data; everything named AIFFINITY_… does so too.
FOREIGN = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "IDENTITY_BACKEND", "SECRET_KEY", "ALLOWED_HOSTS", "HOST")


class DemoFailed(Exception):
    """A step did not do what the story says."""


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running_platform(data_dir: Path) -> Iterator[str]:
    """Start the whole platform as `make run` does; yields its base URL once it is ready."""
    base_url = f"http://127.0.0.1:{free_port()}"
    environment = {**platform_environment(data_dir), "AIFFINITY_BASE_URL": base_url, "PORT": base_url.rsplit(":", 1)[1]}
    with (data_dir / "platform.log").open("wb") as log:
        process = subprocess.Popen(  # The platform's own command.
            [sys.executable, "manage.py", "runplatform"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            _wait_until_ready(process, base_url, data_dir / "platform.log")
            yield base_url
        finally:
            _stop(process)


@contextlib.contextmanager
def running_provider() -> Iterator[str]:
    """Start Acme Weather; yields its base URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "examples.acme_weather", "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        line = process.stdout.readline() if process.stdout else b""
        yield str(json.loads(line)["url"])
    finally:
        _stop(process)


def manage(data_dir: Path, *arguments: str) -> str:
    """Run a command of the platform's `manage.py` beside the running platform and return what it printed."""
    done = subprocess.run(  # noqa: S603  # The platform's own command.
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=platform_environment(data_dir),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise DemoFailed(f"manage.py {arguments[0]}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def platform_environment(data_dir: Path) -> dict[str, str]:
    """Return the variables that make a process one of the platform's, with settings and data of its own."""
    # A file of its own instead of the project's .env, which may name a database or a mail server in use.
    env_file = data_dir / "platform.env"
    ensure_dotenv(env_file)
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN and name[:10] != "AIFFINITY_"}
    return {**kept, "AIFFINITY_ENV_FILE": str(env_file), "DATA_DIR": str(data_dir), "LOG_LEVEL": "WARNING"}


def read_mail_token(data_dir: Path, address: str) -> str:
    """Wait for the verification mail in the mail folder and return the token in it."""
    for _ in _until(20):
        for path in sorted((data_dir / "mail").glob("*")):
            mail = message_from_bytes(path.read_bytes(), policy=default)
            found = re.search(r"mt_[A-Za-z0-9_-]{20,}", path.read_text().replace("=\n", ""))
            if mail["To"] == address and found:
                return found.group()
    raise DemoFailed(f"no mail for {address} came")


def _wait_until_ready(process: "subprocess.Popen[bytes]", base_url: str, log: Path) -> None:
    for _ in _until(READY_WITHIN_SECONDS):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError, ValueError):
            if Caller(base_url)("GET", "/readyz").status == 200:
                return
    raise DemoFailed(f"the platform did not start:\n{log.read_text()[-4000:]}")


def _until(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.1)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
