"""FIX sessions: sequence numbers, and whether each is up and ready."""

from sqlalchemy import Connection, select

from oms.queries.paging import Row, rows_of
from oms.store.tables import sessions


def list_sessions(connection: Connection) -> list[Row]:
    """Every session that the journal knows, by name."""
    return rows_of(connection, select(sessions).order_by(sessions.c.name))
