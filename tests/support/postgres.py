"""A real PostgreSQL for the tests: a server for each test process, a database for each test.

Databases are copied from a template that has been migrated once. The copy for the next test is
made, and the one of the last test removed, while the current test runs.
"""

import itertools
import logging
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from oms.store.embedded_postgres import EmbeddedPostgres
from oms.store.migrate import upgrade
from oms.store.postgres_cluster import open_database
from oms.store.postgres_urls import OWNER_ROLE, SUPERUSER, database_url, role_url

# Short: the server's account has to pass through, and pytest closes its own temporary directories
# to all others.
_SCRATCH = Path(tempfile.gettempdir())


class Databases:
    """Copies of one template, each handed out once and removed afterwards."""

    def __init__(self, server_url: str, template: str) -> None:
        self._admin_url = database_url(role_url(server_url, SUPERUSER), SUPERUSER)
        self._server_url = server_url
        self._template = template
        self._numbers = itertools.count(1)
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._next: Future[str] | None = None

    def take(self) -> str:
        """URL of a fresh database, for the role that owns it."""
        ready = self._next or self._worker.submit(self._create)
        self._next = self._worker.submit(self._create)
        return database_url(self._server_url, ready.result(timeout=60))

    def drop(self, url: str) -> None:
        self._worker.submit(self._drop, url.partition("?")[0].rpartition("/")[2])

    def close(self) -> None:
        self._worker.shutdown(cancel_futures=True)

    def _create(self) -> str:
        name = f"{self._template}_{next(self._numbers)}"
        self._execute("CREATE DATABASE {} OWNER {} TEMPLATE {}", name, OWNER_ROLE, self._template)
        return name

    def _drop(self, name: str) -> None:
        try:
            self._execute("DROP DATABASE {} WITH (FORCE)", name)
        except psycopg.Error:
            logging.getLogger(__name__).exception("test database %s is left behind", name)

    def _execute(self, statement: str, *names: str) -> None:
        identifiers = [sql.Identifier(name) for name in names]
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*identifiers))


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """A directory on the disk that another account may be let through, removed afterwards."""
    path = Path(tempfile.mkdtemp(prefix="plumbline-test-", dir=_SCRATCH))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """The server of this test process. Whoever stops or kills a server starts one for that."""
    with scratch_directory() as directory, EmbeddedPostgres(directory / "data") as server:
        yield server


@pytest.fixture(scope="session")
def migrated_databases(postgres_server: EmbeddedPostgres) -> Iterator[Databases]:
    url = _make_template(postgres_server.url, "migrated")
    upgrade(url)
    databases = Databases(postgres_server.url, "migrated")
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def empty_databases(postgres_server: EmbeddedPostgres) -> Iterator[Databases]:
    _make_template(postgres_server.url, "blank")
    databases = Databases(postgres_server.url, "blank")
    yield databases
    databases.close()


@pytest.fixture(name="database_url")
def migrated_database_url(migrated_databases: Databases) -> Iterator[str]:
    """A fresh database with our schema, for the role that owns it."""
    url = migrated_databases.take()
    yield url
    migrated_databases.drop(url)


@pytest.fixture
def empty_database_url(empty_databases: Databases) -> Iterator[str]:
    """A fresh database without our schema, for the role that owns it."""
    url = empty_databases.take()
    yield url
    empty_databases.drop(url)


def _make_template(server_url: str, name: str) -> str:
    """Make a database that belongs to our owner's role; return its URL for that role."""
    admin_url = role_url(server_url, SUPERUSER)
    statement = sql.SQL("CREATE DATABASE {} OWNER {}").format(
        sql.Identifier(name), sql.Identifier(OWNER_ROLE)
    )
    with psycopg.connect(database_url(admin_url, SUPERUSER), autocommit=True) as connection:
        connection.execute(statement)
    open_database(database_url(admin_url, name))
    return database_url(server_url, name)
