"""Make `.venv` with the locked requirements: `python3 aiffinity/embedded/bootstrap.py run` (or `dev`).

It is run by its path with whatever Python the machine has, so it imports the standard library alone. A stamp
in `.venv` holds the digest of the locks and of Python's version: while that fits, nothing is done.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parents[2]
ENVIRONMENT_DIR = PROJECT_DIR / ".venv"
PYTHON = ENVIRONMENT_DIR / "bin" / "python"
LOCKS = {"run": "requirements.txt", "dev": "requirements-dev.txt"}
OLDEST_PYTHON = (3, 11)


def main() -> None:
    """Install the requirements of one kind if they are not there; exit with a clear message if it fails."""
    kind = sys.argv[1]
    if is_installed(kind):
        return
    # The lock is on the folder itself: two commands started at once do not install at once.
    fcntl.flock(os.open(PROJECT_DIR, os.O_RDONLY), fcntl.LOCK_EX)
    if is_installed(kind):
        return
    if not environment_works():
        make_environment()
    print(f"Installing {LOCKS[kind]} into .venv; this takes about a minute the first time.", flush=True)
    install(PROJECT_DIR / LOCKS[kind])
    stamp(kind).write_text(digest())


def is_installed(kind: str) -> bool:
    """Return whether the locks' requirements are installed; those of `dev` hold those of `run`."""
    stamps = [stamp(kind), stamp("dev")]
    return environment_works() and any(path.exists() and path.read_text() == digest() for path in stamps)


def stamp(kind: str) -> Path:
    """Return the file that says what is installed."""
    return ENVIRONMENT_DIR / f".installed-{kind}"


def digest() -> str:
    """Return what a stamp must hold: both locks and the Python that the environment was made for."""
    content = b"".join((PROJECT_DIR / name).read_bytes() for name in LOCKS.values())
    configuration = (ENVIRONMENT_DIR / "pyvenv.cfg").read_bytes()
    return hashlib.sha256(content + configuration).hexdigest()


def environment_works() -> bool:
    """Return whether `.venv` has a Python that starts (it does not after its base Python was removed)."""
    try:
        return subprocess.run([PYTHON, "-c", ""], check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def make_environment() -> None:
    """Make `.venv` anew with uv or with this Python's venv."""
    uv = shutil.which("uv")
    if uv is not None:
        run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT_DIR)])
        return
    if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            f"This Python ({sys.executable}) cannot make virtual environments.\n"
            f"On Debian and Ubuntu: apt-get install python{version}-venv   (or install uv)"
        )
    run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT_DIR)])


def install(lock: Path) -> None:
    """Install exactly what the lock names, each file checked against its hash."""
    uv = shutil.which("uv")
    if uv is not None:
        run([uv, "pip", "install", "--quiet", "--python", str(PYTHON), "--require-hashes", "-r", str(lock)])
        return
    pip = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run([*pip, "install", "--require-hashes", "-r", str(lock)])


def run(command: list[str]) -> None:
    """Run a command and exit with its status where it fails; its own output says why."""
    status = subprocess.run(command, check=False).returncode  # noqa: S603  The commands are our own.
    if status != 0:
        sys.exit(f"Failed with status {status}: {' '.join(command)}")


if __name__ == "__main__":
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"Python 3.11 or newer is needed; {sys.executable} is {sys.version.split()[0]}.")
    main()
