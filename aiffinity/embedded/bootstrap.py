"""Make `.venv` with the locked requirements: `python3 aiffinity/embedded/bootstrap.py run` (or `dev`, `fuzz`).

It is run by its path with whatever Python the machine has, so it imports the standard library alone. A stamp
in the environment holds the digest of its locks and of Python's version: while that fits, nothing is done.
The fuzz has an environment of its own, because pytest would load the plugin that comes with schemathesis.
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
LOCKS = {"run": "requirements.txt", "dev": "requirements-dev.txt", "fuzz": "requirements-fuzz.txt"}
# What each kind is installed for: a lock of the list holds all that the ones before it hold.
ENVIRONMENTS = {".venv": ("run", "dev"), ".venv-fuzz": ("fuzz",)}
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
    environment = environment_of(kind)
    if not environment_works(environment):
        make_environment(environment)
    print(f"Installing {LOCKS[kind]} into {environment.name}; this takes about a minute the first time.", flush=True)
    install(PROJECT_DIR / LOCKS[kind], environment)
    stamp(kind).write_text(digest(environment))


def environment_of(kind: str) -> Path:
    """Return the folder that the requirements of one kind are installed into."""
    return PROJECT_DIR / next(name for name, kinds in ENVIRONMENTS.items() if kind in kinds)


def is_installed(kind: str) -> bool:
    """Return whether the lock's requirements are installed, by itself or with a lock that holds them."""
    environment = environment_of(kind)
    kinds = ENVIRONMENTS[environment.name]
    stamps = [stamp(each) for each in kinds[kinds.index(kind) :]]
    return environment_works(environment) and any(
        path.exists() and path.read_text() == digest(environment) for path in stamps
    )


def stamp(kind: str) -> Path:
    """Return the file that says what is installed."""
    return environment_of(kind) / f".installed-{kind}"


def digest(environment: Path) -> str:
    """Return what a stamp must hold: the environment's locks and the Python that it was made for."""
    content = b"".join((PROJECT_DIR / LOCKS[kind]).read_bytes() for kind in ENVIRONMENTS[environment.name])
    configuration = (environment / "pyvenv.cfg").read_bytes()
    return hashlib.sha256(content + configuration).hexdigest()


def environment_works(environment: Path) -> bool:
    """Return whether it has a Python that starts (it does not after its base Python was removed)."""
    try:
        return subprocess.run([python_of(environment), "-c", ""], check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def python_of(environment: Path) -> Path:
    """Return the environment's interpreter."""
    return environment / "bin" / "python"


def make_environment(environment: Path) -> None:
    """Make it anew with uv or with this Python's venv."""
    uv = shutil.which("uv")
    if uv is not None:
        run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(environment)])
        return
    if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            f"This Python ({sys.executable}) cannot make virtual environments.\n"
            f"On Debian and Ubuntu: apt-get install python{version}-venv   (or install uv)"
        )
    run([sys.executable, "-m", "venv", "--clear", str(environment)])


def install(lock: Path, environment: Path) -> None:
    """Install exactly what the lock names, each file checked against its hash."""
    uv, python = shutil.which("uv"), str(python_of(environment))
    if uv is not None:
        run([uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", str(lock)])
        return
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
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
