"""A restart of PostgreSQL costs the next request nothing but a new connection."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from django.db import connection, connections

IDLE_CONNECTIONS = 15

pytestmark = pytest.mark.django_db(transaction=True)


def backend_pid(barrier: Barrier) -> int:
    """Hold a connection until all threads have one, and return its server process."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = int(cursor.fetchone()[0])
        barrier.wait(timeout=20)
        return pid
    finally:
        connections.close_all()


def backend_pids(threads: int) -> list[int]:
    """Return the server processes of as many connections at once."""
    barrier = Barrier(threads)
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda _: backend_pid(barrier), range(threads)))


def kill_backends() -> None:
    """End every server process of this database, as a restart does."""
    connections.close_all()
    options = {key: value for key, value in connection.get_connection_params().items() if key in PARAMETERS}
    with psycopg.connect(**options, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


PARAMETERS = ("dbname", "user", "password", "host", "port")


def test_the_first_dead_connection_empties_the_pool():
    before = backend_pids(IDLE_CONNECTIONS)
    kill_backends()
    (first,) = backend_pids(1)
    assert first not in before
    stats = connection.pool.get_stats()  # type: ignore[attr-defined]
    assert stats.get("requests_errors", 0) == 0


def test_every_thread_gets_a_living_connection_after_a_restart():
    before = backend_pids(IDLE_CONNECTIONS)
    kill_backends()
    after = backend_pids(IDLE_CONNECTIONS)
    assert len(set(after)) == IDLE_CONNECTIONS
    assert set(after).isdisjoint(before)


def test_connections_that_came_back_without_autocommit_can_be_used():
    backend_pids(IDLE_CONNECTIONS)
    pool = connection.pool  # type: ignore[attr-defined]
    held = [pool.getconn() for _ in range(pool.get_stats()["pool_available"])]
    came_back = {each.info.backend_pid for each in held}
    for each in held:
        each.autocommit = False
        pool.putconn(each)
    assert set(backend_pids(IDLE_CONNECTIONS)) & came_back
