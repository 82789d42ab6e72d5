"""What the fuzz needs of a platform: the demo's story on it, tokens for its callers, and bodies that fit."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.demo import connection_story, review_story, story
from examples.demo.__main__ import CHAPTERS
from examples.demo.http import Caller
from examples.demo.processes import running_platform, running_provider

# The story goes on: what its chapters end with would leave nothing to call.
ENDINGS = (story.suspend, review_story.deprecate, connection_story.uninstall)
LOGIN = "/v1/providers/account/login"
TOKEN = "/v1/providers/auth/token"  # noqa: S105 - A path.


@dataclass(frozen=True)
class World:
    """A platform on which the demo's story was told."""

    base_url: str
    data_dir: Path
    client: dict[str, str]

    def token(self, caller: str) -> str:
        """Log one kind of caller in anew and return the token, which lives an hour; nobody has none."""
        call = Caller(self.base_url)
        if caller == "nobody":
            return ""
        if caller == "app":
            grant = {"grant_type": "client_credentials", **self.client}
            return str(story.expect(call("POST", TOKEN, grant), 200).body["access_token"])
        email = story.PROVIDER_EMAIL if caller == "developer" else story.USER_EMAIL
        return str(story.expect(call("POST", LOGIN, _login(email)), 200).data["id_token"])

    def document(self) -> dict[str, Any]:
        """Return the platform's OpenAPI document."""
        found: dict[str, Any] = story.expect(Caller(self.base_url)("GET", "/v1/openapi.json"), 200).body
        return found

    def bodies(self) -> dict[str, dict[str, Any]]:
        """Return bodies that nobody can guess, by operation."""
        return {
            f"POST {LOGIN}": _login(story.USER_EMAIL),
            f"POST {TOKEN}": {"grant_type": "client_credentials", **self.client},
        }


@contextlib.contextmanager
def world() -> Iterator[World]:
    """Start a platform and a provider, and tell the story; both end with the block."""
    with tempfile.TemporaryDirectory(prefix="aiffinity-fuzz-") as folder:
        data_dir = Path(folder)
        with running_platform(data_dir) as base_url, running_provider() as provider_url:
            told = story.Story(Caller(base_url), Caller(provider_url), data_dir)
            for _heading, steps in CHAPTERS:
                for _title, step in steps:
                    if step not in ENDINGS:
                        step(told)
            yield World(base_url, data_dir, {name: told.app[name] for name in ("client_id", "client_secret")})


def _login(email: str) -> dict[str, Any]:
    return {"email": email, "password": story.PASSWORD}
