"""Where the database is: ours, from its data directory, or a server by URL; and its schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from sqlalchemy.exc import OperationalError

from oms.app.exits import Exit, Stop
from oms.settings.model import DatabaseSettings
from oms.store.embedded_postgres import EmbeddedPostgres
from oms.store.migrate import SchemaMismatch, check, current, upgrade
from oms.store.postgres_account import EmbeddedPostgresError
from oms.store.postgres_urls import role_url

APPLICATION_ROLE = "plumbline_app"


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls:
    """app: as the role that may add to the journal but not change it; owner: who migrates.

    server: ours, where the database is embedded.
    """

    app: str
    owner: str
    server: EmbeddedPostgres | None = field(default=None, repr=False)

    def revive(self) -> bool:
        """Start our own server again if it has died; whether it had. Raises Stop."""
        if self.server is None or not self.server.has_died:
            return False
        try:
            self.server.start()
        except EmbeddedPostgresError as error:
            raise Stop(Exit.DATABASE_DOWN, f"database.data_dir: {error}") from None
        return True


@contextmanager
def database(settings: DatabaseSettings) -> Iterator[Urls]:
    """The database's URLs, with our own server running for as long as the context where it is ours.

    Raises Stop where it cannot be had.
    """
    if settings.data_dir is None:
        assert settings.url is not None, "checked by the settings"
        app = settings.url.get_secret_value()
        owner = settings.owner_url.get_secret_value() if settings.owner_url else app
        yield Urls(app=app, owner=owner)
        return
    server = EmbeddedPostgres(settings.data_dir, bin_dir=settings.bin_dir)
    try:
        url = server.start()
    except EmbeddedPostgresError as error:
        text = f"database.data_dir = {settings.data_dir}: {error}"
        raise Stop(Exit.DATABASE_DOWN, text) from None
    try:
        yield Urls(app=role_url(url, APPLICATION_ROLE), owner=url, server=server)
    finally:
        server.stop()


def migrate(urls: Urls) -> None:
    """Bring the schema up to date. Raises Stop."""
    with database_faults():
        upgrade(urls.owner)


def require_schema(urls: Urls) -> None:
    """Raises Stop unless the schema is the one that this program was made for."""
    with database_faults():
        check(urls.app)


def current_version(urls: Urls) -> str:
    """The schema's version, "none" before the first migration. Raises Stop."""
    with database_faults():
        return current(urls.owner) or "none"


@contextmanager
def database_faults() -> Iterator[None]:
    """Turns a database that is away, or has another schema, into Stop."""
    try:
        yield
    except SchemaMismatch as error:
        raise Stop(Exit.SCHEMA, str(error)) from None
    except (OperationalError, psycopg.OperationalError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        raise Stop(Exit.DATABASE_DOWN, f"database: cannot be reached: {reason}") from None
