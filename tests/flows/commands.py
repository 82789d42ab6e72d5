"""The documents' curl commands: read out of their files and sent as curl would send them."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import requests

DOCUMENTS = Path(__file__).resolve().parents[1] / "documents"
TIMEOUT_SECONDS = 60


@dataclass
class Request:
    """What one command sends."""

    method: str = "GET"
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


def commands() -> list[str]:
    """Return the names of all commands, such as `runtime_configuration/set_secret`."""
    return sorted(str(path.relative_to(DOCUMENTS).with_suffix("")) for path in DOCUMENTS.glob("*/*.sh"))


def read_command(name: str, variables: Mapping[str, str]) -> Request:
    """Parse a command as bash would; KeyError for a variable that has no value, ValueError for an unknown option.

    Variables stand in double quotes or bare in every file, so all of them are filled in.
    """
    script = (DOCUMENTS / f"{name}.sh").read_text(encoding="utf-8").replace("\\\n", " ")
    words = [Template(word).substitute(variables) for word in shlex.split(script, comments=True)]
    if words.pop(0) != "curl":
        raise ValueError(f"{name} is no curl command")
    return _request(words)


def send(name: str, variables: Mapping[str, str]) -> requests.Response:
    """Send what the command says."""
    request = read_command(name, variables)
    return requests.request(
        request.method, request.url, headers=request.headers, data=request.body, timeout=TIMEOUT_SECONDS
    )


def data_of(response: requests.Response, status: int) -> Any:
    """Return what the envelope holds, after a look at status, type and `meta`."""
    assert response.status_code == status, f"{response.request.method} {response.url}: {response.text}"
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert set(body) == {"data", "meta"}
    assert body["meta"]["requestId"].startswith("req_")
    assert set(body["meta"]) == ({"requestId", "pagination"} if isinstance(body["data"], list) else {"requestId"})
    return body["data"]


def _request(words: list[str]) -> Request:
    request, rest = Request(), iter(words)
    for word in rest:
        if word == "-X":
            request.method = next(rest)
        elif word == "-H":
            header, _, value = next(rest).partition(": ")
            request.headers[header] = value
        elif word == "-d":
            request.body = next(rest).encode()
        elif word.startswith("-") or request.url:
            raise ValueError(f"unknown part of a command: {word}")
        else:
            request.url = word
    return request
