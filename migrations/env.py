"""What Alembic runs around each migration: one connection, one lock, timeouts, one transaction.

Migrations go forward only: a journal is never taken back to an older shape.
"""

from alembic import context
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

# Two cores that start together must not migrate together. The number is "plumb" on a keypad.
MIGRATION_LOCK = 75862
LOCK_TIMEOUT_MS = 5_000
STATEMENT_TIMEOUT_MS = 120_000


def run(connection: Connection) -> None:
    """Migrate on this connection; waits for another migration to end, but not for busy tables."""
    connection.execute(text(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}"))
    connection.execute(text(f"SELECT pg_advisory_lock({MIGRATION_LOCK})"))
    connection.execute(text(f"SET lock_timeout = {LOCK_TIMEOUT_MS}"))
    connection.commit()
    try:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text(f"SELECT pg_advisory_unlock({MIGRATION_LOCK})"))
        connection.commit()


def main() -> None:
    """Connect to the URL that oms.store.migrate put into the configuration."""
    url = context.config.attributes["url"]
    with create_engine(url, poolclass=NullPool).connect() as connection:
        run(connection)


main()
