"""PostgreSQL URLs: the same server and database seen by another role, or another database of it.

The URLs are libpq's (`postgresql://user@/database?host=/socket/directory`), which psycopg and
Alembic take; for SQLAlchemy `sqlalchemy_url` names the driver.
"""

from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

OWNER_ROLE = "plumbline"
APP_ROLE = "plumbline_app"
READ_ROLE = "plumbline_read"
SUPERUSER = "postgres"
DATABASE = "plumbline"


def socket_url(socket_dir: Path, *, role: str, database: str, port: int = 5432) -> str:
    """URL of a server that listens on a unix socket only."""
    host = quote(str(socket_dir), safe="/")
    return (
        f"postgresql://{quote(role, safe='')}@/{quote(database, safe='')}?host={host}&port={port}"
    )


def role_url(url: str, role: str, *, with_password: bool = True) -> str:
    """`url` with `role` as its user; a password stays as it is, or is left out."""
    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    password = userinfo.partition(":")[1:] if at and with_password else ("", "")
    return _unsplit(url, netloc=f"{quote(role, safe='')}{''.join(password)}@{host}")


def database_url(url: str, database: str) -> str:
    """`url` with `database` as its database."""
    return _unsplit(url, path="/" + quote(database, safe=""))


def sqlalchemy_url(url: str) -> str:
    """`url` with the driver that SQLAlchemy is to use, psycopg 3, in its scheme."""
    return _unsplit(url, scheme="postgresql+psycopg")


def _unsplit(url: str, *, scheme: str = "", netloc: str | None = None, path: str = "") -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        msg = f"database url {parts.scheme!r}: must begin with postgresql://"
        raise ValueError(msg)
    netloc = parts.netloc if netloc is None else netloc
    rest = urlunsplit(("", "", path or parts.path, parts.query, parts.fragment))
    return f"{scheme or parts.scheme}://{netloc}{rest}"
