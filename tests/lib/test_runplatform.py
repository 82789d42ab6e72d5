"""The command that runs the whole platform refuses a taken port and gives its processes the right links."""

import re
import socket
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError

from aiffinity.lib.management.commands.runplatform import (
    check_port_is_free,
    child_environment,
    process_commands,
    visible_host,
)


def test_a_taken_port_is_refused_plainly_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=rf"\APort {port} on 127\.0\.0\.1 cannot be used .*PORT=8001 make run"):
            call_command("runplatform", port=port)
    check_port_is_free("127.0.0.1", port)


def test_a_port_that_cannot_exist_is_refused() -> None:
    with pytest.raises(CommandError, match=r"\APort 70000 on 127\.0\.0\.1 cannot be used"):
        check_port_is_free("127.0.0.1", 70000)


def test_links_of_a_local_platform_lead_to_its_own_port(settings) -> None:
    settings.BASE_URL = "http://localhost:8000"
    assert child_environment("0.0.0.0", 8123)["AIFFINITY_BASE_URL"] == "http://127.0.0.1:8123"  # noqa: S104


def test_links_of_a_public_platform_stay(settings, monkeypatch) -> None:
    monkeypatch.setenv("AIFFINITY_BASE_URL", "https://api.example.com")
    settings.BASE_URL = "https://api.example.com"
    assert child_environment("127.0.0.1", 8123)["AIFFINITY_BASE_URL"] == "https://api.example.com"


def test_web_worker_and_beat_are_supervised(settings) -> None:
    commands = process_commands("127.0.0.1", 8123)
    assert list(commands) == ["web", "worker", "beat"]
    assert commands["web"][2:8] == [
        "uvicorn",
        "aiffinity.asgi:application",
        "--host",
        "127.0.0.1",
        "--port",
        "8123",
    ]
    assert f"{settings.DATA_DIR}/celerybeat-schedule" in commands["beat"]


def test_every_address_is_visited_by_its_loopback_name() -> None:
    assert [visible_host(host) for host in ("0.0.0.0", "127.0.0.1", "10.0.0.7")] == [  # noqa: S104
        "127.0.0.1",
        "127.0.0.1",
        "10.0.0.7",
    ]


@pytest.mark.django_db
def test_the_first_administrator_is_made_once_with_a_printed_password() -> None:
    output = StringIO()
    call_command("createfirstadmin", stdout=output)
    printed = re.fullmatch(
        r"First administrator: admin@localhost  password: (\S{16})  \(shown only this once\)\n",
        output.getvalue(),
    )
    assert printed is not None
    admin = get_user_model().objects.get(is_staff=True)
    assert (admin.email, admin.is_superuser) == ("admin@localhost", True)
    assert admin.check_password(printed[1])

    again = StringIO()
    call_command("createfirstadmin", stdout=again)
    assert again.getvalue() == ""
    assert get_user_model().objects.count() == 1
