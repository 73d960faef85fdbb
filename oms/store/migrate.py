"""The schema's version: bring a database up to date, ask where it stands, refuse a strange one."""

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from oms.store.postgres_urls import sqlalchemy_url

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

_alembic_is_global = threading.Lock()


class SchemaMismatch(Exception):
    """The database's schema is not the one that this program was made for."""


def upgrade(url: str) -> str:
    """Migrate to the newest version and return it. Several processes may call this together.

    url must be the owner's. Raises SchemaMismatch when the database is of a newer program, and
    sqlalchemy.exc.DBAPIError when the database cannot be reached or a lock cannot be had.
    """
    _refuse_newer(current(url))
    config = _config()
    config.attributes["url"] = sqlalchemy_url(url)
    with _alembic_is_global:
        command.upgrade(config, "head")
    return head()


def current(url: str) -> str | None:
    """The version the database has; None for a database without our tables."""
    engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def check(url: str) -> None:
    """Raise SchemaMismatch unless the database has exactly the version this program wants."""
    found = current(url)
    _refuse_newer(found)
    if found != head():
        raise SchemaMismatch(
            f"database schema version {found or 'none'}: must be {head()}; run: oms db upgrade"
        )


def head() -> str:
    """The newest version that this program knows."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None, MIGRATIONS
    return newest


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def _refuse_newer(found: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaMismatch(
            f"database schema version {found}: unknown to this program, whose newest is {head()}; "
            f"use the program that made it or a newer one"
        )
