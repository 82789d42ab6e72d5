"""Where the embedded servers listen: Unix sockets whose place follows from the data folder alone."""

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

DATABASE_NAME = "aiffinity"
DATABASE_USER = "aiffinity"
POSTGRES_PORT = 5432
POSTGRES_SOCKET_NAME = f".s.PGSQL.{POSTGRES_PORT}"
VALKEY_SOCKET_NAME = "valkey.sock"
# A socket's path must fit into 104 bytes with its closing NUL on macOS, 108 on Linux.
LONGEST_SOCKET_PATH_BYTES = 100
# PostgreSQL reads the socket folder as a comma separated list, so only plain characters are safe there.
PLAIN_PATH = re.compile(r"\A[A-Za-z0-9_./-]+\Z")
SOCKET_SCHEMES = {"unix", "redis+socket"}


@dataclass(frozen=True)
class EmbeddedUrls:
    """The two URLs of the embedded servers, in the forms that django-environ and redis-py read."""

    database_url: str
    redis_url: str


def socket_dir(data_dir: Path) -> Path:
    """Return the folder of the sockets: below `data_dir`, or a short one of its own if that is too long."""
    data_dir = data_dir.resolve()
    own = data_dir / "run"
    if _fits(own):
        return own
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    name = f"aiffinity-{os.getuid()}-{digest}"
    short = Path(tempfile.gettempdir()) / name
    # The folder is made with mode 0700 and its owner is checked before use.
    return short if _fits(short) else Path("/tmp") / name  # noqa: S108


def embedded_urls(data_dir: Path) -> EmbeddedUrls:
    """Return the URLs of the servers that `EmbeddedServices(data_dir)` runs; nothing is started."""
    folder = quote(str(socket_dir(data_dir)))
    return EmbeddedUrls(
        database_url=f"postgres://{DATABASE_USER}@/{folder}/{DATABASE_NAME}",
        redis_url=f"unix://{folder}/{VALKEY_SOCKET_NAME}?db=0",
    )


def celery_broker_url(redis_url: str) -> str:
    """Return `redis_url` as Celery's transport library reads it: only the form for Unix sockets differs."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    query = [("virtual_host" if key == "db" else key, value) for key, value in parse_qsl(parts.query)]
    return f"redis+socket://{parts.path}?{urlencode(query)}"


def with_redis_database(redis_url: str, number: int) -> str:
    """Return `redis_url` with its database replaced by `number`, for socket and for network addresses."""
    parts = urlsplit(redis_url)
    key = "virtual_host" if parts.scheme == "redis+socket" else "db"
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != key]
    if parts.scheme in SOCKET_SCHEMES:
        return f"{parts.scheme}://{parts.path}?{urlencode([*query, (key, str(number))])}"
    return urlunsplit(parts._replace(path=f"/{number}", query=urlencode(query)))


def _fits(folder: Path) -> bool:
    longest = max(len(POSTGRES_SOCKET_NAME), len(VALKEY_SOCKET_NAME))
    too_long = len(os.fsencode(folder)) + 1 + longest > LONGEST_SOCKET_PATH_BYTES
    return not too_long and PLAIN_PATH.match(str(folder)) is not None
