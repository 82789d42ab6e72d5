"""A clean database after a transactional test, in milliseconds.

Django truncates every table, filled or not, and sends `post_migrate` to have content types, permissions, groups and
policy texts made anew: a third of a second each time. Here the rows that the migrations left are kept aside once, and
a test's rows are deleted where there are any.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase

# Other sessions that still write are waited for, as by TRUNCATE. As a replica, PostgreSQL checks no foreign keys, and
# lets go of the rows of the append-only audit log.
SET_UP = """
CREATE SCHEMA IF NOT EXISTS migrated;

CREATE OR REPLACE FUNCTION migrated.restore() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    tables text;
    name text;
    is_filled boolean;
BEGIN
    PERFORM set_config('session_replication_role', 'replica', true);
    SELECT string_agg(format('public.%I', tablename), ', ' ORDER BY tablename) INTO tables
        FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'django_migrations';
    EXECUTE 'LOCK TABLE ' || tables || ' IN ACCESS EXCLUSIVE MODE';
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'django_migrations' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO is_filled;
        IF pg_relation_size(format('public.%I', name)::regclass) > 1000000 THEN
            EXECUTE format('TRUNCATE public.%I CASCADE', name);
        ELSIF is_filled THEN
            EXECUTE format('DELETE FROM public.%I', name);
        END IF;
    END LOOP;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'migrated' LOOP
        EXECUTE format('INSERT INTO public.%I SELECT * FROM migrated.%I', name, name);
    END LOOP;
END $$;

DO $$
DECLARE
    name text;
    is_filled boolean;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'django_migrations' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO is_filled;
        IF is_filled THEN
            EXECUTE format('CREATE TABLE migrated.%I AS TABLE public.%I', name, name);
        END IF;
    END LOOP;
END $$;
"""


def keep_migrated_rows() -> None:
    """Keep the rows of a database that was just migrated, for every reset."""
    with connection.cursor() as cursor:
        cursor.execute(SET_UP)


def reset_database() -> None:
    """Bring the database back to what the migrations left."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT migrated.restore()")


@contextmanager
def resetting_quickly() -> Iterator[None]:
    """Have transactional tests reset the database instead of flushing it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: reset_database())
        yield
