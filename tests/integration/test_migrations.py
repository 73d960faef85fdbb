"""The schema: made by migrations, equal to the definitions, guarded against change."""

import subprocess
import sys

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from oms.store import migrate, tables
from oms.store.postgres_urls import APP_ROLE, OWNER_ROLE, READ_ROLE, role_url, sqlalchemy_url

VIEWS = ("journal_json", "fix_messages", "order_names")
INSERT_ENTRY = """
    INSERT INTO journal (seq, at, kind, type, leader_epoch, payload, hash)
    VALUES (1, now(), 'C', 'ClockTicked', 1, '{"a": 1}', sha256(''))
"""


def test_migrations_make_what_the_definitions_say(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url), poolclass=NullPool)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, tables.metadata)
    # Comments are written where people read them first: for tables here, for columns in tables.py.
    assert [one for one in differences if "comment" not in str(one)] == []


def test_upgrade_brings_an_empty_database_to_the_newest_version(empty_database_url: str) -> None:
    assert migrate.current(empty_database_url) is None
    with pytest.raises(migrate.SchemaMismatch, match="version none: must be"):
        migrate.check(empty_database_url)
    assert migrate.upgrade(empty_database_url) == migrate.head()
    migrate.check(empty_database_url)
    assert migrate.upgrade(empty_database_url) == migrate.head()


def test_upgrades_at_the_same_time_wait_for_each_other(empty_database_url: str) -> None:
    # Processes, as it is in life: Alembic keeps its context in globals.
    program = "import sys; from oms.store import migrate; print(migrate.upgrade(sys.argv[1]))"
    command = [sys.executable, "-c", program, empty_database_url]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outcomes = [run.communicate(timeout=60)[0].strip() for run in runs]
    assert outcomes == [migrate.head()] * 3


def test_a_newer_database_is_refused(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for action in (migrate.check, migrate.upgrade):
        with pytest.raises(migrate.SchemaMismatch, match="version 9999: unknown"):
            action(database_url)


@pytest.mark.parametrize("role", [OWNER_ROLE, APP_ROLE, READ_ROLE, "postgres"])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE journal SET type = 'OrderStatusRequest'",
        "DELETE FROM journal",
        "TRUNCATE journal",
        INSERT_ENTRY + " ON CONFLICT (seq) DO UPDATE SET type = excluded.type",
    ],
)
def test_nobody_changes_the_journal(database_url: str, role: str, change: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(INSERT_ENTRY)
    with (
        psycopg.connect(role_url(database_url, role), autocommit=True) as connection,
        pytest.raises(psycopg.Error, match=r"append-only|permission denied|read-only"),
    ):
        connection.execute(change)
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT type, payload -> 'a' FROM journal_json").fetchall()
    assert found == [("ClockTicked", 1)]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE journal DISABLE TRIGGER journal_append_only",
        "DROP TABLE journal",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE sql AS ''",
        "SET session_replication_role = replica",
    ],
)
def test_the_application_cannot_lift_the_guard(database_url: str, change: str) -> None:
    with (
        psycopg.connect(role_url(database_url, APP_ROLE), autocommit=True) as connection,
        pytest.raises(psycopg.Error, match=r"must be owner|permission denied"),
    ):
        connection.execute(change)


def test_the_reader_reads_everything_and_writes_nothing(database_url: str) -> None:
    with psycopg.connect(role_url(database_url, READ_ROLE), autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        for name in [*tables.metadata.tables, *VIEWS, "alembic_version"]:
            connection.execute(f"SELECT * FROM {name}")
        for name in tables.metadata.tables:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"DELETE FROM {name}")
