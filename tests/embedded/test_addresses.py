"""The addresses of the embedded servers, and the forms that the libraries want."""

import tempfile
from pathlib import Path

import environ
import pytest

from aiffinity.embedded.addresses import celery_broker_url, embedded_urls, socket_dir, with_redis_database


def test_short_data_folders_hold_their_own_sockets() -> None:
    urls = embedded_urls(Path("/srv/data"))
    assert urls.redis_url == "unix:///srv/data/run/valkey.sock?db=0"
    database = environ.Env.db_url_config(urls.database_url)
    assert (database["ENGINE"], database["HOST"], database["NAME"], database["USER"]) == (
        "django.db.backends.postgresql",
        "/srv/data/run",
        "aiffinity",
        "aiffinity",
    )


@pytest.mark.parametrize("data_dir", [Path("/srv/" + 90 * "x"), Path("/srv/with, comma"), Path("/srv/ä")])
def test_other_data_folders_get_a_short_folder_of_their_own(data_dir: Path) -> None:
    folder = socket_dir(data_dir)
    assert str(folder).startswith(f"{tempfile.gettempdir()}/aiffinity-")
    assert folder == socket_dir(data_dir)
    assert folder != socket_dir(data_dir / "other")


def test_addresses_write_nothing(tmp_path: Path) -> None:
    embedded_urls(tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_celery_gets_the_form_that_its_transport_reads() -> None:
    url = celery_broker_url("unix:///srv/data/run/valkey.sock?db=3")
    assert url == "redis+socket:///srv/data/run/valkey.sock?virtual_host=3"
    assert celery_broker_url("rediss://:secret@cache:6380/1") == "rediss://:secret@cache:6380/1"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("unix:///run/v.sock?db=0", "unix:///run/v.sock?db=4"),
        ("unix:///run/v.sock", "unix:///run/v.sock?db=4"),
        ("redis://:secret@cache:6379/0", "redis://:secret@cache:6379/4"),
        ("redis://cache?db=1", "redis://cache/4"),
    ],
)
def test_the_database_of_a_redis_url_is_replaced(url: str, expected: str) -> None:
    assert with_redis_database(url, 4) == expected
