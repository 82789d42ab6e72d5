"""The database wrapper that settings name as ENGINE."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """Checks each connection that leaves the pool; the first dead one empties the pool.

    The pool's own check tries one connection after another with pauses of 1, 2 and 4 s between them, so that
    a dozen that died with a restarted server outlast its time limit (psycopg_pool, "Connection quality").
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection that answers; raises OperationalError (503) where none is to be had in time."""
        connection = super().get_new_connection(conn_params)
        if self.pool is None or _answers(connection):
            return connection
        self.pool.putconn(connection)
        self.pool.drain()
        return super().get_new_connection(conn_params)


def _answers(connection: psycopg.Connection[Any]) -> bool:
    try:
        # It leaves no transaction open on a connection that came back without autocommit.
        ConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        return False
    return True
