"""The embedded servers start, keep their data, are reused, and recover from kill -9."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import kombu
import psycopg
import pytest
import redis

from aiffinity.embedded import processes
from aiffinity.embedded.addresses import (
    DATABASE_NAME,
    DATABASE_USER,
    celery_broker_url,
    embedded_urls,
    socket_dir,
    with_redis_database,
)
from aiffinity.embedded.launcher import EmbeddedServices
from aiffinity.embedded.server import EmbeddedServerError
from tests.embedded.conftest import StartServices

PROJECT_DIR = Path(__file__).resolve().parents[2]
START_ELSEWHERE = """
import sys
from pathlib import Path
from aiffinity.embedded.launcher import EmbeddedServices
services = EmbeddedServices(Path(sys.argv[1]), durable=sys.argv[2] == "durable")
services.start()
print("owner" if services.is_owner else "guest", flush=True)
sys.stdin.read()
services.stop()
"""


def query(data_dir: Path, statement: str) -> list[Any]:
    """Run a statement in the platform's database and return its rows."""
    with psycopg.connect(
        host=str(socket_dir(data_dir)), user=DATABASE_USER, dbname=DATABASE_NAME, autocommit=True
    ) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def valkey(data_dir: Path) -> redis.Redis:
    """Return a client at the address that the settings use."""
    return redis.Redis.from_url(embedded_urls(data_dir).redis_url, decode_responses=True)


def server_pids(data_dir: Path) -> list[int]:
    """Return the process ids of the two servers."""
    pids = [
        processes.read_pid(data_dir / "postgresql" / "postmaster.pid"),
        processes.read_pid(data_dir / "valkey" / "valkey.pid"),
    ]
    assert None not in pids
    return [pid for pid in pids if pid is not None]


def start_elsewhere(data_dir: Path, mode: str) -> "subprocess.Popen[str]":
    """Start the servers in another Python process, which holds them until its input closes."""
    return subprocess.Popen(
        [sys.executable, "-c", START_ELSEWHERE, str(data_dir), mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT_DIR,
    )


def test_data_survives_a_stop_and_a_second_start(data_dir: Path, start_services: StartServices) -> None:
    first = start_services(durable=True)
    query(data_dir, "CREATE TABLE kept (word text)")
    query(data_dir, "INSERT INTO kept VALUES ('here')")
    valkey(data_dir).set("kept", "here")
    pids = server_pids(data_dir)
    first.stop()
    assert [processes.is_alive(pid) for pid in pids] == [False, False]

    start_services(durable=True)
    assert query(data_dir, "SELECT word FROM kept") == [("here",)]
    assert valkey(data_dir).get("kept") == "here"
    assert not set(pids) & set(server_pids(data_dir))


def test_servers_listen_on_private_sockets_alone(data_dir: Path, start_services: StartServices) -> None:
    start_services()
    assert query(data_dir, "SHOW listen_addresses") == [("",)]
    assert valkey(data_dir).config_get("port", "databases", "maxmemory-policy") == {
        "port": "0",
        "databases": "64",
        "maxmemory-policy": "noeviction",
    }
    assert socket_dir(data_dir).stat().st_mode & 0o777 == 0o700


def test_celery_reaches_the_broker_in_its_database(data_dir: Path, start_services: StartServices) -> None:
    start_services(postgres=False)
    third = with_redis_database(embedded_urls(data_dir).redis_url, 3)
    with kombu.Connection(celery_broker_url(third)) as connection:
        connection.SimpleQueue("queue").put("hello")
    with redis.Redis.from_url(third, decode_responses=True) as client:
        assert client.llen("queue") == 1
    assert valkey(data_dir).dbsize() == 0


def test_both_servers_recover_from_kill_9(data_dir: Path, start_services: StartServices) -> None:
    start_services(durable=True)
    query(data_dir, "CREATE TABLE kept AS SELECT 7 AS number")
    for pid in server_pids(data_dir):
        os.kill(pid, signal.SIGKILL)

    start_services(durable=True)
    assert query(data_dir, "SELECT number FROM kept") == [(7,)]
    assert valkey(data_dir).ping() is True


def test_stale_lock_files_that_name_a_living_stranger_are_removed(
    data_dir: Path, start_services: StartServices
) -> None:
    start_services().stop()
    socket_dir(data_dir).mkdir(mode=0o700)
    stranger = os.getpid()
    lock_lines = f"{stranger}\n{data_dir / 'postgresql'}\n0\n5432\n{socket_dir(data_dir)}\n\n\n"
    (data_dir / "postgresql" / "postmaster.pid").write_text(lock_lines)
    (socket_dir(data_dir) / ".s.PGSQL.5432.lock").write_text(lock_lines)
    (data_dir / "valkey" / "valkey.pid").write_text(f"{stranger}\n")

    start_services()
    assert query(data_dir, "SELECT 1") == [(1,)]
    assert stranger not in server_pids(data_dir)


def test_a_second_start_reuses_the_servers_and_leaves_them_running(
    data_dir: Path, start_services: StartServices
) -> None:
    owner = start_services()
    pids = server_pids(data_dir)
    guest = start_services()
    assert (owner.is_owner, guest.is_owner) == (True, False)
    assert server_pids(data_dir) == pids
    guest.stop()
    assert query(data_dir, "SELECT 1") == [(1,)]


def test_two_processes_that_start_at_once_share_one_pair_of_servers(data_dir: Path) -> None:
    starters = [start_elsewhere(data_dir, "throwaway") for _ in range(2)]
    answers = sorted(process.stdout.readline().strip() for process in starters if process.stdout)
    assert answers == ["guest", "owner"]
    pids = server_pids(data_dir)
    for process in starters:
        process.communicate(timeout=30)
    assert [process.returncode for process in starters] == [0, 0]
    assert [processes.is_alive(pid) for pid in pids] == [False, False]


def test_servers_that_outlive_a_killed_owner_are_taken_over(data_dir: Path, start_services: StartServices) -> None:
    with start_elsewhere(data_dir, "durable") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "owner\n"
        pids = server_pids(data_dir)
        process.kill()
    assert [processes.is_alive(pid) for pid in pids] == [True, True]

    heir = start_services(durable=True)
    assert heir.is_owner
    assert server_pids(data_dir) == pids
    heir.stop()
    assert [processes.is_alive(pid) for pid in pids] == [False, False]


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux ties a process to its parent.")
def test_throwaway_servers_end_with_their_killed_owner(data_dir: Path) -> None:
    with start_elsewhere(data_dir, "throwaway") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "owner\n"
        pids = server_pids(data_dir)
        process.kill()
    assert processes.wait_until(lambda: not any(processes.is_alive(pid) for pid in pids), timeout_seconds=10)


def test_a_data_folder_with_a_long_path_works(data_dir: Path, start_services: StartServices) -> None:
    deep = data_dir / ("deep-" * 15) / ("deeper-" * 10)
    assert len(str(socket_dir(deep))) < 60
    services = start_services(deep)
    assert query(deep, "SELECT 1") == [(1,)]
    assert valkey(deep).ping() is True
    services.stop()
    assert not socket_dir(deep).exists()


def test_a_failed_start_shows_the_log_and_what_to_do(data_dir: Path, start_services: StartServices) -> None:
    start_services(valkey=False).stop()
    (data_dir / "postgresql" / "postgresql.conf").write_text("no_such_setting = 1\n")
    services = EmbeddedServices(data_dir, durable=False, valkey=False)
    with pytest.raises(EmbeddedServerError) as caught:
        services.start()
    assert "no_such_setting" in str(caught.value)
    assert "set DATABASE_URL to a server of your own" in str(caught.value)
    assert not services.is_owner


def test_data_of_another_version_is_refused_by_name(data_dir: Path, start_services: StartServices) -> None:
    (data_dir / "postgresql").mkdir()
    (data_dir / "postgresql" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedServerError, match=r"was made by PostgreSQL 9; found were: \d+ in /"):
        start_services(valkey=False)


def test_a_socket_folder_that_a_stranger_prepared_is_refused(data_dir: Path) -> None:
    deep = data_dir / ("deep-" * 25)
    (data_dir / "elsewhere").mkdir()
    socket_dir(deep).symlink_to(data_dir / "elsewhere")
    try:
        with pytest.raises(EmbeddedServerError, match="belongs to another user"):
            EmbeddedServices(deep, durable=False).start()
    finally:
        socket_dir(deep).unlink()
