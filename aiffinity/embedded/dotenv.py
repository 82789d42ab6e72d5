"""Write the `.env` of a development machine, with random keys: `python -m aiffinity.embedded.dotenv`."""

import base64
import os
import secrets
import sys
from pathlib import Path

KEY_BYTES = 32
PROJECT_DIR = Path(__file__).resolve().parents[2]


def ensure_dotenv(path: Path) -> bool:
    """Write `path` with mode 0600 unless there is one already; return whether it was written.

    It appears whole or not at all, also when several commands start at once.
    """
    if path.exists():
        return False
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(development_environment())
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def development_environment() -> str:
    """Return the lines of a new development `.env`."""
    return "".join(f"{name}={value}\n" for name, value in development_variables().items())


def development_variables() -> dict[str, str]:
    """Return fresh values for every variable that has no default; `.env.example` explains each."""
    return {
        "AIFFINITY_ENVIRONMENT": "development",
        "AIFFINITY_BASE_URL": "http://127.0.0.1:8000",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "AIFFINITY_ENCRYPTION_KEYS": f"k1:{random_key()}",
        "AIFFINITY_USER_ID_KEY": random_key(),
        "AIFFINITY_EGRESS_ALLOW": "127.0.0.0/8,[::1]/128",
        "AIFFINITY_EGRESS_ALLOW_HTTP": "true",
    }


def random_key() -> str:
    """Return 32 random bytes as base64."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def main() -> None:
    """Write the project's `.env` where it is missing and say so."""
    path = PROJECT_DIR / ".env"
    if ensure_dotenv(path):
        sys.stdout.write(f"Wrote {path} with new random keys for development.\n")


if __name__ == "__main__":
    main()
