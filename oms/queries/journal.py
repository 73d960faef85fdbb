"""The journal as a stream: its entries in order, from any number on."""

from sqlalchemy import Connection, func, select

from oms.queries.paging import Row, rows_of
from oms.store.tables import journal


def tip(connection: Connection) -> int:
    """The number of the last entry, 0 of an empty journal."""
    return int(connection.execute(select(func.coalesce(func.max(journal.c.seq), 0))).scalar_one())


def entries_after(
    connection: Connection, seq: int, *, only_events: bool = False, limit: int = 500
) -> list[Row]:
    """Entries behind that number, in order; payload is their JSON text in bytes.

    Numbers become visible in order, so nothing can appear later in front of what was read.
    """
    column = journal.c
    query = (
        select(column.seq, column.at, column.kind, column.type, column.order_id, column.payload)
        .where(column.seq > seq)
        .order_by(column.seq)
        .limit(limit)
    )
    if only_events:
        query = query.where(column.kind == "E")
    return rows_of(connection, query)
